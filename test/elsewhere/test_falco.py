# SPDX-License-Identifier: Apache-2.0
"""manifests/elsewhere/falco: the rules as Falco would read them, without Falco: the shape of each
item, conditions by their grammar, and every field by Falco's own list of fields."""
import pathlib
import re

import pytest
import yaml

FILE = pathlib.Path(__file__).parents[2] / "manifests/elsewhere/falco/ampoule.yaml"
ITEMS = yaml.safe_load(FILE.read_text())
# As `falco --list=syscall` and the page of supported fields give them; evt.arg.NAME is an argument.
FIELDS = {
    "evt.type", "evt.args", "evt.rawres", "evt.res", "evt.failed", "evt.is_open_read",
    "evt.is_open_write", "proc.name", "proc.pname", "proc.sname", "proc.exe", "proc.exepath",
    "proc.cmdline", "proc.pid", "proc.ppid", "proc.vpid", "proc.pvpid", "user.name", "user.uid",
    "fd.name", "fd.directory", "fd.filename", "fs.path.name", "fs.path.source", "fs.path.target",
    "container.id", "container.name", "container.image.repository", "container.image.tag",
    "k8s.ns.name", "k8s.pod.name"}
ARGUMENTS = {"ptrace": {"request", "pid", "addr", "data"}}
OPERATORS = {"=", "!=", "<", "<=", ">", ">=", "in", "contains", "icontains", "startswith",
             "endswith", "glob", "pmatch", "exists", "intersects"}
PRIORITIES = {"EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFORMATIONAL",
              "DEBUG"}
KEYS = {"rule": {"rule", "desc", "condition", "output", "priority", "tags", "exceptions"},
        "macro": {"macro", "condition"}, "list": {"list", "items"},
        "required_engine_version": {"required_engine_version"}}
TOKEN = re.compile(r'"[^"]*"|[()]|,|!=|<=|>=|[=<>]|[^\s(),=<>!"]+')


def kind(item):
    return next(k for k in KEYS if k in item)


def named(what):
    return [item for item in ITEMS if kind(item) == what]


LISTS = {item["list"]: item["items"] for item in named("list")}
MACROS = {item["macro"] for item in named("macro")}


def known(field):
    if field in FIELDS:
        return True
    return field.startswith("evt.arg.") and any(field[8:] in a for a in ARGUMENTS.values())


class Reader:
    """expression: and, or, not, parentheses, macros, FIELD OPERATOR VALUE."""

    def __init__(self, text):
        self.tokens = TOKEN.findall(text)
        assert "".join(self.tokens) == re.sub(r'\s+(?=(?:[^"]*"[^"]*")*[^"]*$)', "", text), text
        self.fields, self.macros, self.lists = set(), set(), set()
        self.either()
        assert not self.tokens, f"left over: {self.tokens}"

    def take(self, *wanted):
        token = self.tokens.pop(0)
        assert not wanted or token in wanted, (token, wanted)
        return token

    def is_next(self, token):
        return bool(self.tokens) and self.tokens[0] == token

    def either(self):
        self.both()
        while self.is_next("or"):
            self.take()
            self.both()

    def both(self):
        self.one()
        while self.is_next("and"):
            self.take()
            self.one()

    def one(self):
        while self.is_next("not"):
            self.take()
        if self.is_next("("):
            self.take()
            self.either()
            self.take(")")
            return
        word = self.take()
        if "." not in word:
            assert word in MACROS, f"no macro {word}"
            self.macros.add(word)
            return
        assert known(word), f"no field {word}"
        self.fields.add(word)
        self.value(self.take(*OPERATORS))

    def value(self, operator):
        if operator != "in":
            assert self.take() not in ("(", ")", ",")
            return
        self.take("(")
        while not self.is_next(")"):
            word = self.take()
            if word.startswith("ampoule_"):
                assert word in LISTS, f"no list {word}"
                self.lists.add(word)
            if not self.is_next(")"):
                self.take(",")
        self.take(")")


def test_each_item_has_the_shape_that_falco_reads():
    names = []
    for item in ITEMS:
        what = kind(item)
        assert set(item) <= KEYS[what], item
        names.append((what, item[what]))
        if what == "rule":
            assert set(item) >= KEYS["rule"] - {"exceptions"}, item["rule"]
            assert item["priority"] in PRIORITIES and "ampoule" in item["tags"]
    assert len(names) == len(set(names))
    assert len(named("rule")) >= 8


@pytest.mark.parametrize("item", named("macro") + named("rule"), ids=lambda i: i[kind(i)])
def test_conditions_are_whole_and_name_known_fields(item):
    Reader(item["condition"].strip())


def test_every_macro_and_list_is_used():
    read = [Reader(i["condition"].strip()) for i in named("macro") + named("rule")]
    assert set().union(*(r.macros for r in read)) == MACROS
    assert set().union(*(r.lists for r in read)) == set(LISTS)


@pytest.mark.parametrize("item", named("rule"), ids=lambda i: i["rule"])
def test_outputs_and_exceptions_name_known_fields(item):
    fields = re.findall(r"%([a-z0-9_.]+)", item["output"])
    assert fields and all(known(f) for f in fields), fields
    assert "%proc." in item["output"] and "\n" not in item["output"].strip()
    for one in item.get("exceptions", []):
        assert set(one) == {"name", "fields", "comps", "values"}
        assert len(one["fields"]) == len(one["comps"])
        assert all(known(f) for f in one["fields"]) and set(one["comps"]) <= OPERATORS


@pytest.mark.parametrize("text, why", [
    ("(fd.name = /x", "an open parenthesis"), ("fd.nam = /x", "a field misspelt"),
    ("fd.name is /x", "no operator"), ("ampoule_nothing", "no macro"),
    ("proc.name in (ampoule_nothing)", "no list"), ("fd.name = /x or", "half a sentence")])
def test_the_reader_finds_faults(text, why):
    with pytest.raises((AssertionError, IndexError)):
        Reader(text)


def test_the_paths_are_the_webhooks():
    """Folders, volumes, names and the program as webhook/plan.h has them."""
    header = (FILE.parents[3] / "webhook/plan.h").read_text()
    text = FILE.read_text()
    for name in ("AGENT_NAME", "AGENT_INIT_NAME", "SECRETS_VOLUME", "HOME_VOLUME", "HOME_INIT_VOLUME",
                 "STATE_VOLUME", "TOKEN_VOLUME", "SECRETS_MOUNT", "HOME_MOUNT", "STATE_MOUNT", "AGENT_PATH"):
        assert re.search(rf'#define {name} "([^"]+)"', header)[1] in text, name
