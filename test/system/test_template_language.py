# SPDX-License-Identifier: Apache-2.0
"""The contract of `ampoule render`. The language beside Go's own packages: test/diff/run.sh."""
import json
import os
import subprocess

import pytest

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
