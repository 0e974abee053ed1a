# SPDX-License-Identifier: Apache-2.0
"""`ampoule seal` from the outside: every word, its refusals, and what never leaks."""
import contextlib
import json
import os
import re
import shutil
import stat
import subprocess
import time

import pytest

from machine import Terminal
from seal_run import TOOL, Seal

CANARY = "canary-7f3a9c51e0"


@pytest.fixture(name="seal")
def _seal(tmp_path):
    return Seal(tmp_path)


def test_tour(seal):
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    seal.put("db/password", "one")
    seal.put("db/password", "two")
    assert seal.get("db/password") == b"two"
    assert seal.get("db/password", "--version", 1) == b"one"
    seal.run("rollback", "db/password")
    assert seal.get("db/password") == b"one"
    seal.run("rollback", "db/password")
    assert seal.get("db/password") == b"two"
    seal.run("remove", "db/password")
    assert "was removed in version 5" in seal.fails("get", "db/password", "-i", seal.key)
    assert "removed already" in seal.fails("remove", "db/password")
    seal.run("rollback", "db/password", "--to", 1)
    assert seal.get("db/password") == b"one"
    rows = json.loads(seal.run("history", "db/password", "--json").stdout)
    assert [r["action"] for r in rows] == ["put", "put", "rollback to 1", "rollback to 2",
                                           "remove", "rollback to 1"]
    assert {r["author"] for r in rows} == {"Tester <t@example.org>"}
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert all(since <= r["time"] <= until for r in rows), (since, rows, until)
    assert "generation 6, 0 problems" in seal.verify().stdout.decode()


def test_file_modes(seal):
    assert stat.S_IMODE(seal.key.stat().st_mode) == 0o600
    seal.put("a", "1")
    assert stat.S_IMODE(seal.file.stat().st_mode) == 0o644
    seal.file.chmod(0o640)
    seal.put("a", "2")
    assert stat.S_IMODE(seal.file.stat().st_mode) == 0o640
    assert "is not overwritten" in seal.fails("keygen", "-o", seal.key, file=False)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_readable_private_key_is_refused(seal, mode):
    seal.put("a", CANARY)
    seal.key.chmod(mode)
    text = seal.fails("get", "a", "-i", seal.key)
    assert f"mode {mode:04o}" in text and "chmod 600" in text


def test_a_foreign_key_file_may_be_group_readable(seal):
    """As ssh: a mounted Secret is root's, and its mode is the mount's business."""
    seal.put("a", "1")
    if os.geteuid() != 0:
        pytest.skip("needs root to give a file away")
    os.chown(seal.key, 12345, -1)
    seal.key.chmod(0o440)
    assert seal.get("a") == b"1"


def test_values_come_from_stdin_file_or_terminal(seal, tmp_path):
    seal.run("put", "a", "-r", seal.recipient, value=b"word\n")
    assert seal.get("a") == b"word"
    seal.run("put", "a", value=b"line 1\nline 2\n")
    assert seal.get("a") == b"line 1\nline 2\n"
    seal.run("put", "a", "--exact", value=b"word\n")
    assert seal.get("a") == b"word\n"
    (tmp_path / "v").write_bytes(b"\x00\xff\n")
    seal.run("put", "a", "--from", tmp_path / "v")
    assert seal.get("a") == b"\x00\xff\n"
    assert "is empty" in seal.fails("put", "a", value=b"\n")
    seal.run("put", "a", "--empty", value=b"")
    assert seal.get("a") == b""
    text = seal.fails("put", "a", CANARY)
    assert "never an argument" in text and CANARY not in text


def test_terminal_does_not_show_the_value(seal):
    seal.put("a", "1")
    with contextlib.closing(Terminal([TOOL, "seal", "put", "-f", seal.file, "a"], seal.env)) as t:
        t.shows("Enter")
        t.type(CANARY + "\n")
        assert t.ended() == 0
    assert CANARY not in t.everything
    assert seal.get("a") == CANARY.encode()


def editor(tmp_path, body):
    path = tmp_path / "editor.sh"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return {"EDITOR": str(path), "VISUAL": ""}


def test_editor(seal, tmp_path):
    env = editor(tmp_path, f'echo "$1" >{tmp_path}/where; stat -f -c %T "$1" >{tmp_path}/fs; '
                 f'stat -c %a "$1" >{tmp_path}/mode; cp "$1" "$1~"; '
                 'sed s/one/two/ "$1" >"$1.new"; mv "$1.new" "$1"')
    seal.put("a", "one more\n")
    seal.run("put", "a", "--edit", "-i", seal.key, env=env)
    assert seal.get("a") == b"two more"
    where = (tmp_path / "where").read_text().strip()
    assert (tmp_path / "fs").read_text().strip() in ("tmpfs", "ramfs")
    assert (tmp_path / "mode").read_text().strip() == "600"
    assert not os.path.exists(os.path.dirname(where))
    env = editor(tmp_path, "exit 3")
    assert "nothing was written" in seal.fails("put", "a", "--edit", env=env)
    assert len(seal.lines()) == 2


def test_editor_compares_when_it_ends(seal, tmp_path):
    seal.put("a", "one")
    other = f'echo "by another" | {TOOL} seal put -f {seal.file} a 2>/dev/null'
    env = editor(tmp_path, f'{other}; echo mine >"$1"')
    text = seal.fails("put", "a", "--edit", env=env)
    assert "newest version is 2" in text and "Tester" in text
    assert seal.get("a") == b"by another"


def file_system(path):
    return subprocess.run(["stat", "-f", "-c", "%T", path], capture_output=True,
                          text=True).stdout.strip()


def test_editor_refuses_a_disk(seal, tmp_path):
    """Nowhere but on a memory file system: without one the edit is refused."""
    seal.put("a", "one")
    disk = tmp_path / "disk"
    disk.mkdir()
    if "tmpfs" in (file_system(tmp_path), file_system("/tmp")) or os.geteuid() != 0:
        pytest.skip("needs root and temporary folders on a disk")
    script = (f"for d in /dev/shm /run; do mount --bind {disk} $d || exit 99; done; "
              f"exec {TOOL} seal put -f {seal.file} a --edit")
    env = {k: v for k, v in seal.env.items() if k not in ("XDG_RUNTIME_DIR", "TMPDIR")}
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True,
                          env={**env, "EDITOR": "true"})
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("no mount namespaces here")
    assert done.returncode == 1 and "no memory file system" in done.stderr, done


def test_one_member_of_a_json_value(seal):
    seal.put("a", '{"user": "u\\n", "n": 1.10, "list": [1, {"x": null}], "b": true}')
    for key, text in (("user", b"u\n"), ("n", b"1.10"), ("list", b'[1,{"x":null}]'),
                      ("b", b"true")):
        assert seal.get("a", "-k", key) == text
    assert "no member 'x'" in seal.fails("get", "a", "-i", seal.key, "-k", "x")
    seal.put("a", "text")
    assert "no JSON object" in seal.fails("get", "a", "-i", seal.key, "-k", "x")


def test_terminal_gets_a_line_end(seal):
    """Only a terminal: a pipe gets the value, byte for byte."""
    seal.put("a", "word")
    argv = [TOOL, "seal", "get", "-f", seal.file, "-i", seal.key, "a"]
    with contextlib.closing(Terminal(argv)) as t:
        assert t.ended() == 0
    assert t.everything == "word\r\n"


def test_writers_need_only_public_keys(seal, tmp_path):
    """Everything but get, rekey and verify -i works where the private key is not."""
    seal.put("a", CANARY)
    hidden = tmp_path / "hidden"
    seal.key.rename(hidden)
    seal.put("a", "2")
    seal.run("rollback", "a")
    seal.put("b", "1")
    seal.run("remove", "b")
    seal.run("verify")
    assert b"rollback to 1" in seal.run("history", "a").stdout
    seal.run("prune")
    hidden.rename(seal.key)
    assert seal.get("a") == CANARY.encode()


def test_recipients_and_rekey(seal, tmp_path):
    seal.put("a", "1")
    seal.put("b", "1")
    bob = tmp_path / "bob.txt"
    bob_key = seal.keygen(bob)
    assert "other recipients" in seal.fails("put", "a", "-r", bob_key, value=b"x")
    before = [l.split(" ")[1:7] for l in seal.lines()]
    assert "none of which is this key" in seal.fails("get", "a", "-i", bob)
    (tmp_path / "set").write_text(f"# both\n{seal.recipient} alice\n{bob_key} Bob B\n")
    seal.run("rekey", "-i", seal.key, "-R", tmp_path / "set")
    assert seal.run("get", "a", "-i", bob).stdout == b"1" == seal.get("a")
    assert [l.split(" ")[1:7] for l in seal.lines()] == before  # author and time stay
    assert f"recipient {bob_key} Bob%20B\n" in seal.file.read_text()
    seal.run("rekey", "-i", seal.key, "-r", bob_key)
    assert f"recipient {bob_key} Bob%20B\n" in seal.file.read_text()  # his name stays
    assert "none of which is this key" in seal.fails("get", "a", "-i", seal.key)
    seal.put("a", "2")  # the writer need not know for whom
    assert seal.run("get", "a", "-i", bob).stdout == b"2"


def test_rekey_changes_nothing_when_a_line_does_not_open(seal):
    seal.put("a", "1")
    seal.put("b", "1")
    text = seal.file.read_text().replace("entry b 1 put *", "entry c 1 put *")
    seal.file.write_text(text)
    message = seal.fails("rekey", "-i", seal.key)
    assert "line 5" in message and "moved or edited" in message
    assert seal.file.read_text() == text


def test_scope_is_kept(seal):
    seal.put("a", "1", "--namespace", "shop", "--service-account", "web")
    seal.put("a", "2")
    seal.run("remove", "a")
    assert {l.split(" ")[4] for l in seal.lines()} == {"shop/web"}
    seal.put("a", "3", "--anywhere")
    assert seal.lines()[-1].split(" ")[4] == "*"
    for bad in (["-a", "web"], ["-n", "Shop"], ["-n", "a/b"], ["-n", "shop", "--anywhere"]):
        seal.fails("put", "a", *bad, value=b"x")


def test_compare_and_set(seal):
    seal.put("a", "1", "--if-version", 0)
    assert "newest version is 1" in seal.fails("put", "a", "--if-version", 0, value=b"x")
    seal.put("a", "2", "--if-version", 1)
    assert "newest version is 2" in seal.fails("remove", "a", "--if-version", 1)


def test_prune(seal):
    for i in range(1, 6):
        seal.put("a", str(i))
    seal.run("rollback", "a", "--to", 2)
    seal.put("b", "1")
    seal.run("remove", "b")
    before = seal.verify().stdout.decode()
    seal.run("prune")
    assert [l.split(" ")[1:3] for l in seal.lines()] == [["a", "2"], ["a", "6"], ["b", "2"]]
    assert seal.get("a") == b"2"
    generation = re.search(r"generation \d+", before).group()
    assert generation in seal.verify("--min-generation", 8).stdout.decode()
    assert "below the demanded 9" in seal.fails("verify", "--min-generation", 9)


def test_signatures(seal, tmp_path):
    alice, bob = tmp_path / "alice.key", tmp_path / "bob.key"
    a, b = seal.keygen(alice, "--signing"), seal.keygen(bob, "--signing")
    seal.put("a", "1", "--sign", alice)
    seal.put("a", "2", "--sign", bob)
    note = seal.put("a", "3").stderr.decode()
    assert "signed, this one is not" in note
    text = seal.fails("verify", "-w", a, "-w", b)
    assert "line 6, 'a' version 3: it has no writer's signature" in text
    seal.fails("get", "a", "-i", seal.key, "-w", a)
    seal.run("sign", "--sign", alice)
    seal.verify("-w", a, "-w", b)
    assert "not among the demanded" in seal.fails("verify", "-w", a)
    assert seal.get("a", "-w", a) == b"3"
    # A rekey does not launder: the lines must be by the demanded writers before.
    assert "not among" in seal.fails("rekey", "-i", seal.key, "-w", a, "-s", alice)
    seal.run("rekey", "-i", seal.key, "-w", a, "-w", b, "-s", bob)
    seal.verify("-w", b)
    line = seal.line("a", 3)
    for bad in (line.replace(" a 3 ", " c 3 "), line[:-6] + "AAAA=="):
        seal.file.write_text(seal.file.read_text().replace(line, bad))
        assert "problem" in seal.fails("verify")
        seal.file.write_text(seal.file.read_text().replace(bad, line))
    alice.chmod(0o644)
    assert "chmod 600" in seal.fails("put", "a", "--sign", alice, value=b"x")


def test_damage_is_named_and_hurts_only_its_entry(seal):
    for name in "abc":
        seal.put(name, name)
    good = seal.file.read_text()
    for bad in ("entry b 1 put * yesterday Tester QUJD", "entry b 1", "<<<<<<< HEAD", "entry",
                "\x00", "entry b 1 put * 2026-11-21T05:00:00Z x !!!!", "rubbish"):
        seal.file.write_text(good.replace(seal.line("b", 1), bad))
        assert seal.get("a") == b"a" and seal.get("c") == b"c"
        assert "line 5" in seal.fails("verify", "-i", seal.key)
        b = seal.fails("get", "b", "-i", seal.key)
        assert "line 5" in b or "has no entry 'b'" in b
        seal.file.write_text(good)
    # A damaged line is written back as it was, and its version is not used again.
    bad = "entry b 1 put * yesterday Tester QUJD"
    seal.file.write_text(good.replace(seal.line("b", 1), bad))
    seal.put("a", "a2")
    assert bad in seal.file.read_text()
    seal.put("b", "b2")
    assert seal.get("b") == b"b2"
    assert seal.lines()[-2].startswith("entry b 2 ")


def test_a_conflict_marker_stops_writers_only(seal):
    seal.put("a", "1")
    seal.file.write_text(seal.file.read_text() + "<<<<<<< HEAD\n=======\n>>>>>>> x\n")
    assert seal.get("a") == b"1"
    assert "line 5 is a conflict marker" in seal.fails("put", "a", value=b"2")


def test_limits(seal):
    seal.put("a", b"x" * 65536)
    assert seal.get("a") == b"x" * 65536
    assert "65536" in seal.fails("put", "a", "--exact", value=b"x" * 65537)
    note = ""
    for i in range(11):
        note += seal.put(f"big/{i}", b"x" * 65536).stderr.decode()
    assert "ConfigMap" in note
    assert "ConfigMap" in seal.verify().stderr.decode()


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "../a", "a/./b", "a b", "a\nb", "ä",
                                  "a?b", "a#b", "x" * 513])
def test_bad_paths(seal, path):
    seal.fails("put", path, "-r", seal.recipient, value=b"x")
    assert not seal.file.exists()


def test_missing_pieces_are_named(seal, tmp_path):
    assert "has no recipient yet" in seal.fails("put", "a", value=b"x")
    assert "there is no file" in seal.fails("remove", "a")
    seal.put("a", "1")
    assert "-i FILE" in seal.fails("get", "a")
    assert "has no entry 'b'" in seal.fails("get", "b", "-i", seal.key)
    assert "private key" in seal.fails("rekey", "-i", seal.key, "-r",
                                       seal.key.read_text().splitlines()[2])
    seal.file.write_text("something else\n")
    assert "is no sealed file" in seal.fails("list")


def test_nothing_leaks(seal, tmp_path):
    """The value is in no output, no file but its own, and no argument or environment."""
    trace = tmp_path / "trace"
    seal.put("a", "first")
    args = [TOOL, "seal", "put", "-f", seal.file, "a"]
    if shutil.which("strace"):
        args = ["strace", "-f", "-e", "trace=execve", "-v", "-s", "100000", "-o", trace, *args]
    done = subprocess.run(args, input=CANARY.encode(), capture_output=True, env=seal.env)
    assert done.returncode == 0
    for word in (["list"], ["history", "a"], ["verify", "-i", seal.key], ["verify", "--json"]):
        done = seal.run(*word)
        assert CANARY.encode() not in done.stdout + done.stderr
    for path in tmp_path.iterdir():
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes()
    assert seal.get("a") == CANARY.encode()


def test_output_is_complete_or_an_error(seal):
    seal.put("a", "x" * 1000)
    with open("/dev/full", "wb") as full:
        done = subprocess.run([TOOL, "seal", "get", "-f", seal.file, "-i", seal.key, "a"],
                              stdout=full, stderr=subprocess.PIPE, env=seal.env)
        assert done.returncode == 1
        done = subprocess.run([TOOL, "seal", "list", "-f", seal.file], stdout=full,
                              stderr=subprocess.PIPE, env=seal.env)
        assert done.returncode == 1


def test_help_names_every_word_and_option():
    words = subprocess.run([TOOL, "seal", "--help"], capture_output=True, text=True)
    assert words.returncode == 0
    for word in re.findall(r"^  (\w+) ", words.stdout, re.M):
        done = subprocess.run([TOOL, "seal", word, "--help"], capture_output=True, text=True)
        assert done.returncode == 0 and f"ampoule seal {word}" in done.stdout
    assert subprocess.run([TOOL, "seal"], capture_output=True).returncode == 2
    assert subprocess.run([TOOL, "seal", "nonsense"], capture_output=True).returncode == 2
