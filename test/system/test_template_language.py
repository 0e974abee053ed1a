# SPDX-License-Identifier: Apache-2.0
"""The contract of `ampoule render`. The language beside Go's own packages: test/diff/run.sh."""
import json
import os
import subprocess

import pytest
from machine import start
from store_run import prog

@pytest.fixture
def render(tmp_path):
    def call(template, *args, **files):
        (tmp_path / "t").write_text(template)
        argv = [os.environ["AMPOULE_BIN"] + "/ampoule", "render", "--template", str(tmp_path / "t")]
        for name, content in files.items():
            path = tmp_path / name
            path.write_text(content if isinstance(content, str) else json.dumps(content))
            argv += [f"--{name}", str(path)]
        return subprocess.run([*argv, *args], capture_output=True, text=True, timeout=30)
    return call


def test_render_data_and_secrets(render):
    got = render('{{.n}} {{with secret "kv/x"}}{{.Data.p}} {{.LeaseDuration}}{{end}}\n',
                 data={"n": 12345678},
                 secrets='{"kv/x": {"data": {"p": 12345678901234567890}, "lease_duration": 30}}')
    assert (got.returncode, got.stdout, got.stderr) == (
        0, "1.2345678e+07 12345678901234567890 30\n", "")


def test_render_without_data_is_nil(render):
    assert render("[{{.}}]").stdout == "[<no value>]"


def test_render_lists_what_is_below(render):
    got = render('{{range secrets "kv/"}}[{{.}}]{{end}}',
                 secrets={"kv/b": {}, "kv/a": {}, "kv/d/e": {}, "kvx/a": {}})
    assert got.stdout == "[a][b][d/]"


@pytest.mark.parametrize("template", ["{{", "{{nofunc}}", '{{secret "none"}}', "a{{.x.y}}",
                                      '{{index (parseJSON "[]") 1}}'])
def test_render_error_is_one_line_and_nothing_else(render, template):
    got = render("before " + template, data={"x": 1})
    assert got.returncode == 1 and got.stdout == ""
    assert len(got.stderr.splitlines()) == 1
    assert got.stderr.split(":")[1] == "1"


def test_render_missing_key(render):
    assert render("{{.none}}", "--missing-key", "zero", data={}).stdout == "<no value>"
    assert render("{{.none}}", "--missing-key", "error", data={}).returncode == 1
    assert render("{{.none}}", "--missing-key", "other", data={}).returncode != 0


def test_render_delimiters(render):
    got = render("{{x}} [[ print 1 ]]", "--left-delim", "[[", "--right-delim", "]]")
    assert got.stdout == "{{x}} 1"


def test_render_expect(render, tmp_path):
    (tmp_path / "want").write_text("one\ntwo\nthree\n")
    same = render("one\ntwo\nthree\n", "--expect", str(tmp_path / "want"))
    assert (same.returncode, same.stdout) == (0, "")
    other = render("one\n2\nthree\n", "--expect", str(tmp_path / "want"))
    assert other.returncode == 1
    assert other.stdout.splitlines()[2:] == ["@@ -1,3 +1,3 @@", " one", "-two", "+2", " three"]
    cut = render("one\ntwo\nthree", "--expect", str(tmp_path / "want"))
    assert cut.returncode == 1 and "No newline at end of file" in cut.stdout


def test_render_grants(render, tmp_path):
    (tmp_path / "f").write_text("content")
    template = f'{{{{file "{tmp_path}/f"}}}}'
    assert "read_dirs" in render(template).stderr
    assert render(template, "--read-dir", str(tmp_path)).stdout == "content"
    assert "allow_env" in render('{{env "HOME"}}').stderr
    assert render('{{env "HOME"}}', "--env").stdout == os.environ["HOME"]


def test_render_functions_is_a_table(render):
    got = render("", "--functions").stdout
    rows = [line for line in got.splitlines() if line.startswith("| `")]
    assert len(rows) > 200
    assert all(len(r.replace("\\|", "").split("|")) == 6 for r in rows), "a bar breaks a row"


def test_refusals_say_how_to_allow(render, tmp_path):
    """In the words of the configuration that would allow it; running programs never is."""
    (tmp_path / "f").write_text("content")
    for template, remedy in [('{{env "HOME"}}', "policy { allow_env = true }"),
                             ('{{mustEnv "HOME"}}', "policy { allow_env = true }"),
                             ('{{envOrDefault "HOME" "x"}}', "policy { allow_env = true }"),
                             (f'{{{{file "{tmp_path}/f"}}}}', "policy { read_dirs"),
                             ('{{plugin "id"}}', "store it as a secret")]:
        got = render(template)
        assert got.returncode == 1 and remedy in got.stderr and not got.stdout, got
    outside = render(f'{{{{file "{tmp_path}/f"}}}}', "--read-dir", str(tmp_path / "other"))
    assert outside.returncode == 1 and "read_dirs" in outside.stderr
    climbing = render(f'{{{{file "{tmp_path}/other/../f"}}}}', "--read-dir", str(tmp_path / "other"))
    assert climbing.returncode == 1


@pytest.mark.parametrize("wrong, near", [
    ("{{toJson .}}", "toJSON"), ("{{sprig_qoute 1}}", "sprig_quote"), ("{{secrt `x`}}", "secret"),
    ("{{.}}{{trimspace `x`}}", "trimSpace"), ("{{with secret `kv/x`}}{{.data}}{{end}}", "Data"),
    ('{{template "mian"}}{{define "main"}}{{end}}', "main"), ("{{iff .}}{{end}}", "if"),
])
def test_errors_name_what_was_meant(render, wrong, near):
    got = render(wrong, secrets={"kv/x": {"data": {"a": "b"}}})
    assert got.returncode == 1 and near in got.stderr.split(":", 3)[3], got.stderr


class Batch:
    """test/support/prog/tmpl_batch: many templates in one process."""

    def __init__(self):
        self.process = start([prog("tmpl_batch")], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def render(self, template, data, missing="zero"):
        template, data = template.encode(), json.dumps(data).encode()
        self.process.stdin.write(b"render %d %d %s\n" % (len(template), len(data), missing.encode())
                                 + template + data)
        self.process.stdin.flush()
        word, size = self.process.stdout.readline().split()
        return word == b"ok", self.process.stdout.read(int(size)).decode(errors="replace")


def test_no_error_holds_a_value():
    """Each function with values of each kind in each place, and with too few and too many."""
    canary = "cAn4ry"
    values = {"s": canary, "l": [canary, canary], "m": {canary: canary}, "i": 77123477, "b": f"{canary}=="}
    functions = [line.split("`")[1] for line in subprocess.run(
        [os.environ["AMPOULE_BIN"] + "/ampoule", "render", "--functions"], capture_output=True,
        text=True).stdout.splitlines() if line.startswith("| `")]
    args = [".s", ".l", ".m", ".i", ".b", "1", '"%d"', '"["']
    calls = [[a] for a in args] + [[a, b] for a in args for b in args[:5]] + [
        [a, b, c] for a in ("1", ".s", ".m", '"%d"') for b in (".s", ".l", ".i") for c in (".s", ".m", ".i")] + [
        [".s"] * n for n in (4, 5, 6, 7)]
    batch, failed = Batch(), 0
    for name in functions:
        for call in calls:
            for missing in ("zero", "zeron"):  # numbers as floats, and as a store's
                ok, text = batch.render("{{" + " ".join([name, *call]) + "}}", values, missing)
                failed += not ok
                assert ok or (canary.lower() not in text.lower() and "77123477" not in text and
                              "7.7123477" not in text), f"{name} {call}: {text}"
    assert failed > 10_000
    for template in ("{{.s.x}}", "{{index .l 9}}", "{{index .m .s}}{{.m.x.y}}", "{{range .s}}{{end}}",
                     "{{template .s}}", "{{lt .s 1}}", "{{.s | .l}}", "{{index .l .s}}", "{{slice .s 99}}",
                     "{{.l | index .m | len}}", "{{call .s}}", "{{eq .l .l}}", "{{executeTemplate .s}}"):
        ok, text = batch.render(template, values, "error")
        assert not ok and canary not in text, text
    batch.process.stdin.close()
    assert batch.process.wait(30) == 0
