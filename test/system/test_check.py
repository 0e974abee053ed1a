# SPDX-License-Identifier: Apache-2.0
"""ampoule check and ampoule options as programs: exit codes, what goes to which stream."""
import json
import os
import pathlib
import subprocess

AMPOULE = pathlib.Path(os.environ["AMPOULE_BIN"]) / "ampoule"
CASES = pathlib.Path(__file__).resolve().parent.parent / "cases" / "conf"


def ampoule(*args):
    return subprocess.run([AMPOULE, *map(str, args)], capture_output=True, text=True, timeout=30)


def test_good_file():
    done = ampoule("check", CASES / "peer_agent.hcl")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("peer_agent.hcl: good: 1 store, 1 template, 1 sink\n")
    assert ampoule("check", "--quiet", CASES / "peer_agent.hcl").stdout == ""


def test_bad_file_does_not_hide_the_others():
    bad = CASES / "bad_template_perms.hcl"
    done = ampoule("check", bad, CASES / "peer_agent.hcl")
    assert done.returncode == 1
    assert f"error: {bad}:1: perms: '0999' is not a file mode" in done.stderr
    assert "peer_agent.hcl: good" in done.stdout


def test_warnings_and_strict():
    odd = CASES / "peer_unknown_keys.hcl"
    done = ampoule("check", odd)
    assert done.returncode == 0
    assert f"warning: {odd}:1: pidfile: no such key or block; did you mean 'pid_file'?" in done.stderr
    assert ampoule("check", "--strict", odd).returncode == 1


def test_folder_is_merged():
    done = ampoule("check", "--print", CASES / "folder_merge")
    assert done.returncode == 0
    conf = json.loads(done.stdout)
    assert [t["destination"] for t in conf["template"]] == ["/s/1", "/s/2"]


def test_unknown_store_type(tmp_path):
    conf = tmp_path / "a.hcl"
    conf.write_text('store "a" { type = "sealled" }\n'
                    'template { secret = "x" destination = "/s/x" }\n')
    done = ampoule("check", conf)
    assert done.returncode == 1
    assert "there is no type 'sealled'; did you mean 'sealed'?" in done.stderr


def test_the_environment_is_not_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("VAULT_LOG_LEVEL", "nonsense")
    assert ampoule("check", CASES / "peer_agent.hcl").returncode == 0


def test_plaintext_secrets(tmp_path):
    manifest = tmp_path / "a.yaml"
    manifest.write_text("apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n"
                        "stringData:\n  password: hunter2\n")
    done = ampoule("check", "--secrets", tmp_path)
    assert done.returncode == 1
    assert f"error: {manifest}:1: Secret 'db' is in plaintext" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
    manifest.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: db\n")
    done = ampoule("check", "--secrets", tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}: good: no Secret in plaintext\n")


def test_wrong_use():
    assert ampoule("check").returncode == 2
    assert ampoule("check", "--none").returncode == 2
    assert ampoule("options", "--none").returncode == 2
    assert ampoule("check", "--help").stdout.startswith("usage: ampoule check")
    done = ampoule("check", "/none/such")
    assert done.returncode == 1 and "/none/such" in done.stderr


def test_options():
    text, table = ampoule("options").stdout, ampoule("options", "--markdown").stdout
    for name in ("static_secret_render_interval", "agent-inject-secret-<n>", "status_socket"):
        assert name in text and name in table


BROKEN = """log_level = "loud"
store "a" {
  type = "sealled"
  timeout = "abc"
}
template {
  destination = "/s/x"
  contents = "{{ if }}"
}
template {
  destination = "/s/y"
  perms = "0999"
}
template {
  destination = "/s/z"
  contents = "line\\n{{ nofunc 1 }}"
}
observe { grace = "zz" }
"""


def test_every_error_of_a_file_is_told(tmp_path):
    conf = tmp_path / "broken.hcl"
    conf.write_text(BROKEN)
    done = ampoule("check", conf)
    assert done.returncode == 1 and done.stdout == ""
    for want in ("broken.hcl:1: log_level", "broken.hcl:4: timeout", "no type 'sealled'",
                 "broken.hcl:12: perms", "broken.hcl:18: grace", "template '/s/x': /s/x:1:6: ",
                 "template '/s/z': /s/z:2:3: "):
        assert f"error: {conf}" in done.stderr and want in done.stderr, (want, done.stderr)


def test_template_files(tmp_path):
    good, bad = tmp_path / "good.tmpl", tmp_path / "bad.ctmpl"
    good.write_text('{{ with secret "a" }}{{ .Data.b }}{{ end }}')
    bad.write_text("hello\n{{ end }}\n")
    done = ampoule("check", good, bad)
    assert done.returncode == 1 and f"{good}: good" in done.stdout
    assert done.stderr == f"error: {bad}:2:3: unexpected {{{{end}}}}\n"
    conf = tmp_path / "a.hcl"
    conf.write_text('store "a" {\n type = "file"\n path = "/x"\n}\n'
                    f'template {{\n source = "{bad}"\n destination = "/s/x"\n}}\n'
                    'template {\n source = "/only/in/the/pod"\n destination = "/s/y"\n}\n')
    done = ampoule("check", conf)
    assert done.returncode == 1 and f"template '/s/x': {bad}:2:3: " in done.stderr
