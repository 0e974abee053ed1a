# SPDX-License-Identifier: Apache-2.0
"""What the documents repeat from the programs is what the programs say."""

import os
import pathlib
import re

from agent_run import AGENT, TOOL, run

ROOT = pathlib.Path(__file__).parents[2]


def section(name):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.S)[1]


def test_the_readme_shows_the_option_table():
    """To renew it: ampoule options --markdown, between the marks."""
    assert section("options").strip() == run(TOOL, "options", "--markdown").stdout.strip()


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
