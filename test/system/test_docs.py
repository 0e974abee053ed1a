# SPDX-License-Identifier: Apache-2.0
"""What the documents repeat from the programs is what the programs say."""

import os
import pathlib
import re
import subprocess

from agent_run import AGENT, TOOL, run

ROOT = pathlib.Path(__file__).parents[2]


def section(name):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.S)[1]


def test_the_readme_shows_the_option_table():
    """To renew it: ampoule options --markdown, between the marks."""
    assert section("options").strip() == run(TOOL, "options", "--markdown").stdout.strip()


def test_the_readme_shows_every_function():
    """To renew it: ampoule render --functions, between the marks."""
    assert section("functions").strip() == run(TOOL, "render", "--functions").stdout.strip()


def cells(row):
    cell = r"(?:`` ?(.*?) ?``|`(.*?)`|(\*an error\*)|)"
    return re.fullmatch(rf"\| `(\w+)` \| (.+?) \| {cell} \| {cell} \|", row)


def test_the_examples_of_functions_run(tmp_path):
    folder = ROOT / "test" / "cases" / "functions"
    names = set()
    for row in section("functions").splitlines():
        if not row.startswith("| `"):
            continue
        found = cells(row)
        assert found, row
        name, text, result = found[1], found[3] or found[4], found[6] or found[7] or ""
        assert name in text, row
        names.add(name)
        (tmp_path / "t").write_text(text.replace("\\|", "|"))
        got = subprocess.run([TOOL, "render", "--template", str(tmp_path / "t"), "--secrets", "secrets.json",
                              "--read-dir", "files", "--env"], cwd=folder, capture_output=True, text=True,
                             env={**os.environ, "POD_NAME": "web-0"}, timeout=30)
        if found[8]:
            assert got.returncode == 1 and not got.stdout, row
        else:
            assert got.returncode == 0, row + got.stderr
            assert got.stdout.replace("\n", "\\n").replace("|", "\\|").rstrip() == result.rstrip(), row
    assert len(names) > 210


def test_the_readme_names_every_stock_template():
    named = re.findall(r"^\| `([\w-]+)` \|", (ROOT / "README.md").read_text(encoding="utf-8").split(
        "### Ready-made templates")[1].split("###")[0], re.M)
    assert sorted(named) == sorted(x.stem for x in (ROOT / "templates" / "stock").glob("*.tmpl"))


def test_the_readme_shows_metrics_and_audit_events():
    for name in ("metrics", "audit"):
        assert section(name).strip() == run(TOOL, "options", f"--{name}").stdout.strip()


def test_the_readme_shows_what_other_engines_can_say():
    """To renew it: ampoule policy export --table, between the marks."""
    assert section("elsewhere").strip() == run(TOOL, "policy", "export", "--table").stdout.strip()


def test_versions_name_both_tls_libraries():
    for program in (AGENT, TOOL):
        text = run(program, "--version").stdout
        ours, curls = re.fullmatch(r"\S+ \S+ \((.+?); libcurl/\S+ (.+)\)", text.strip()).groups()
        assert ours.split()[0].lower() == curls.split("/")[0].lower(), text


def test_every_word_has_help():
    for word in ("render", "seal", "check", "status", "options"):
        done = run(TOOL, word, "--help")
        assert "usage: ampoule " + word in done.stdout, word


def test_documents_name_files_that_exist():
    for document in ("README.md", "HACKING.md", "SECURITY.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        for path in re.findall(r"`((?:lib|agent|stores|templates|test|image|cmd)/[\w/.-]+)`", text):
            assert "NAME" in path or os.path.exists(ROOT / path), f"{document} names {path}"


def test_the_example_of_template_tests(tmp_path):
    """The two files of "Test a template in your own CI", as the page shows them."""
    page = (ROOT / "README.md").read_text(encoding="utf-8").split("## Writing templates")[1].split("\n## ")[0]
    secrets = re.search(r"\$ cat secrets.json\n    (.*)\n", page)[1]
    body = re.search(r"\n    (\{\{ with secret \"kv/data/db\" \}\}) +one secret.*\n    (postgres.*)\n    (\{\{ end \}\})\n", page)
    (tmp_path / "secrets.json").write_text(secrets)
    (tmp_path / "db.tmpl").write_text("".join(body.groups()))
    (tmp_path / "db.expected").write_text("postgres://app:it%27s@db/shop")
    argv = re.search(r"\$ ampoule (render --template db.tmpl.*)\n", page)[1].split()
    done = subprocess.run([TOOL, *argv], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
