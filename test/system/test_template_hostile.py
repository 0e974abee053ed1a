# SPDX-License-Identifier: Apache-2.0
"""Hostile templates: each ends within the limits of steps, depth, output, time and memory, with
one readable line or with Go's own result, and never with a crash."""
import json
import os
import random
import resource
import subprocess

import pytest

MEMORY_KIB = 64 * 1024
SECONDS = 60  # the engine's own limit is two seconds; the machine may be busy

DEEP = "{{$x := sprig_list 1}}{{range loop 100000}}{{$x = sprig_list $x}}{{end}}"
SELF = '{{$m := sprig_dict}}{{$m = sprig_set $m "a" $m}}'
LAUGHS = "\\n".join(["a: &a [x,x,x,x,x,x,x,x,x]"] + [
    f"{b}: &{b} [" + ",".join([f"*{a}"] * 9) + "]" for a, b in zip("abcdefgh", "bcdefghi")])
TOO_LARGE = "larger than 1048576 bytes"
LEVELS = "more than 1000 levels of nesting"

REFUSED = {
    "unclosed action": ("a\n{{ if .x", "2:8: the action is not closed"),
    "unclosed comment": ("{{/* x", "1:2: the comment is not closed"),
    "nested ifs": ("{{if 1}}" * 10**6, LEVELS),
    "nested ranges, closed": ("{{range .}}" * 10**5 + "{{end}}" * 10**5, LEVELS),
    "nested parentheses": ("{{" + "(" * 10**6 + "1" + ")" * 10**6 + "}}", LEVELS),
    "range over 10^9": ("{{range 1000000000}}{{end}}", "more than 1000000 steps"),
    "loop to 10^9": ("{{range loop 1000000000}}{{end}}", "more than 1000000 steps"),
    "nested ranges": ("{{range 100000}}" * 4 + "{{end}}" * 4, "more than 1000000 steps"),
    "itself": ('{{define "a"}}{{template "a"}}{{end}}{{template "a"}}', "more than 64 deep"),
    "itself by a function": ('{{define "a"}}{{executeTemplate "a"}}{{end}}{{executeTemplate "a"}}',
                             "executeTemplate: "),
    "each other, twofold": ('{{define "a"}}{{template "b"}}{{template "b"}}{{end}}'
                            '{{define "b"}}{{template "a"}}{{template "a"}}{{end}}{{template "a"}}',
                            "more than 64 deep"),
    "three wide numbers": ('{{printf "%1000000d%1000000d%1000000d" 1 2 3}}', TOO_LARGE),
    "NUL in an action": ("{{ \0 }}", "1:3: unrecognized character in action: U+0000"),
    "no UTF-8 in an action": (b"{{\xff}}", "unrecognized character in action: U+FFFD"),
    "undefined function": ('{{secretz "x"}}', 'function "secretz" is not defined; did you mean "secret"?'),
    "argument of another type": ("{{toUpper 1}}", "1:10: expected string"),
    "no list": ('{{index 1 "a"}}', "can't index item of type int"),
    "key of nil": ('{{index . "a"}}', "index"),
    "division by zero": ("{{divide 0 1}}", "division by zero"),
    "remainder by zero": ("{{modulo 0 1}}", "division by zero"),
    "nested counts": ('{{regexMatch "(a{0,1000}){0,1000}" "a"}}', "nested counts are too large"),
    "large expression": ('{{regexMatch (sprig_repeat 100000 "a?") "b"}}', "too large"),
    "base64 of 1 GiB": ('{{sprig_repeat 1073741824 "x" | base64Encode}}', TOO_LARGE),
    "base64 of much": ('{{base64Decode (sprig_repeat 1000000 "QUFB")}}', TOO_LARGE),
    "deep JSON": ('{{parseJSON "' + "[" * 100000 + "]" * 100000 + '"}}', "nested deeper than 64"),
    "deep YAML": ('{{parseYAML (sprig_repeat 100000 "[")}}', "nested too deep"),
    "deep toJSON": (DEEP + "{{toJSON $x}}", "nested deeper than 100"),
    "deep toYAML": (DEEP + "{{toYAML $x}}", "nested deeper than 100"),
    "deep printing": (DEEP + "{{$x}}", TOO_LARGE),
    "deep comparison": (DEEP + "{{sprig_deepEqual $x $x}}", "nesting is too deep"),
    "a map in itself as JSON": (SELF + "{{toJSON $m}}", "nested deeper than 100"),
    "a map in itself printed": (SELF + "{{$m}}", TOO_LARGE),
    "a map in itself compared": (SELF + "{{sprig_deepEqual $m $m}}", "nesting is too deep"),
    "doubled 60 times": ('{{$x := "xxxx"}}{{range loop 60}}{{$x = print $x $x}}{{end}}', TOO_LARGE),
    "long output": ('{{$x := sprig_repeat 100000 "x"}}{{range 100000}}{{$x}}{{end}}', TOO_LARGE),
    "a list that grows": ("{{$x := sprig_list}}{{range 900000}}{{$x = sprig_append $x 1}}{{end}}",
                          "needs too much memory"),
    "a long count": ("{{sprig_until 1000000000}}", "more than 100000 items"),
    "each byte becomes many": ('{{sprig_repeat 1000 "a" | replaceAll "" (sprig_repeat 100000 "b")}}', TOO_LARGE),
    "aliases of aliases": (f'{{{{parseYAML "{LAUGHS}" | toYAML | len}}}}', ""),
    "100,000 templates": ("".join('{{define "t%d"}}x{{end}}' % i for i in range(100_000)),
                          "more than 10000 templates are defined"),
    "long number": ("{{" + "9" * 100_000 + "}}", "illegal number syntax: 9999"),
    "large exponent": ("{{1e1000000000}}", "illegal number syntax"),
    "long text": ("x" * 3_000_000, TOO_LARGE),
}

ACCEPTED = {  # as Go has it
    "1 GiB of width": ('{{printf "%1073741824d" 1}}', "%!(NOVERB)%!(EXTRA int=1)"),
    "1 GiB of width by star": ('{{printf "%*d" 1073741824 1}}', "%!(BADWIDTH)1"),
    "1 GiB of precision": ('{{printf "%.1073741824f" 1.0}}', "%!(NOVERB)%!(EXTRA float64=1)"),
    "%n": ('{{printf "%n" 1}}', "%!n(int=1)"),
    "NUL": ("a\0b{{1}}\0", "a\0b1\0"),
    "byte order mark": ("\ufeff{{1}}", "\ufeff1"),
    "CRLF": ("{{1 -}}\r\n  x\r\n", "1x\r\n"),
    "no UTF-8": (b'\xff{{len "\xff"}}', b"\xff3"),  # Go: a bad byte in a string is U+FFFD
    "missing key": ("{{.a.b.c}}", "<no value>"),
    "nil map": ('{{$m := index (parseJSON "{\\"a\\":null}") "a"}}{{$m.x}}', "<no value>"),
    "backtracking": ('{{regexMatch "^(a+)+$" (sprig_repeat 50000 "a" | printf "%sb")}}', "false"),
    "backtracking in a replacement": ('{{regexReplaceAll "(x+x+)+y" "z" (sprig_repeat 50000 "x") | len}}',
                                      "50000"),
    "100,000 variables": ("".join("{{$a%d := 1}}" % i for i in range(100_000)) + "{{$a0}}", "1"),
    "delimiters in quotes": ('{{"}}"}}{{`{{`}}', "}}{{"),
}


@pytest.fixture
def render(tmp_path):
    def call(template, *args):
        content = template if isinstance(template, bytes) else template.encode()
        (tmp_path / "t").write_bytes(content)
        return subprocess.run(
            ["sh", "-c", f'ulimit -d {MEMORY_KIB}; exec "$@"', "sh",
             os.environ["AMPOULE_BIN"] + "/ampoule", "render", "--template", "t", *args],
            cwd=tmp_path, capture_output=True, timeout=SECONDS)
    return call


def refused(got, text):
    assert (got.returncode, got.stdout) == (1, b""), got
    assert len(got.stderr.splitlines()) == 1 and len(got.stderr) < 1000
    assert got.stderr.startswith(b"t:") and text in got.stderr.decode()


@pytest.mark.parametrize("name", REFUSED)
def test_refused(render, name):
    template, text = REFUSED[name]
    refused(render(template), text)


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(render, name):
    template, text = ACCEPTED[name]
    got = render(template)
    assert (got.returncode, got.stderr) == (0, b"")
    assert got.stdout == (text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize("left, right, template, text", [
    ("##", "##", "a ##1## b", "a 1 b"),
    ("", "", "{{1}}", "1"),
    ('"', "'", "a \"1' b", "a 1 b"),
])
def test_odd_delimiters(render, left, right, template, text):
    got = render(template, "--left-delim", left, "--right-delim", right)
    assert (got.returncode, got.stdout.decode()) == (0, text), got.stderr


def test_100000_templates_of_a_configuration(tmp_path):
    path = tmp_path / "agent.hcl"
    path.write_text("".join(f'template {{ contents = "x" destination = "/o/{i}" }}\n'
                            for i in range(100_000)))
    got = subprocess.run([os.environ["AMPOULE_BIN"] + "/ampoule", "check", str(path)],
                         capture_output=True, text=True, timeout=SECONDS)
    assert got.returncode == 1
    assert "longer than 1048576 bytes" in got.stdout + got.stderr


def cpu_seconds(render, keys, tmp_path):
    data = tmp_path / "d.json"
    data.write_text(json.dumps({"text": json.dumps(dict.fromkeys(keys, 1))}))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    got = render("{{len (parseJSON .text)}} {{len (parseYAML .text)}}", "--data", "d.json")
    assert got.stdout == b"90000 90000", got
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def test_the_order_of_many_keys_costs_nothing(render, tmp_path):
    keys = [f"k{i:06d}" for i in range(90_000)]
    shuffled = keys[:]
    random.Random(1).shuffle(shuffled)
    assert cpu_seconds(render, shuffled, tmp_path) < 5 * cpu_seconds(render, keys, tmp_path) + 0.2
