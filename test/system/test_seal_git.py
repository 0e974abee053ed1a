# SPDX-License-Identifier: Apache-2.0
"""Git merges of generated histories: branches that touch different entries merge, and the
result opens whole; branches that wrote the same entry are told apart."""
import random
import shutil
import subprocess

import pytest

from seal_run import Seal

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="needs git")
NAMES = [f"{team}/{app}" for team in ("api", "billing", "web") for app in ("db", "key", "mail")]


class Repo:
    def __init__(self, folder, union):
        self.folder = folder
        self.git("init", "-q", "-b", "main")
        self.seal = Seal(folder, key=folder.parent / "key.txt")
        self.values = {}
        if union:
            (folder / ".gitattributes").write_text("*.sealed merge=union\n")

    def git(self, *args, ok=True):
        done = subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@x", "-c",
                               "commit.gpgsign=false", *args], cwd=self.folder,
                              capture_output=True, text=True)
        assert not ok or done.returncode == 0, done.stdout + done.stderr
        return done

    def put(self, name, value):
        self.seal.put(name, value)
        self.values[name] = value

    def commit(self, text):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", text)

    def branch(self, name, changes):
        self.git("checkout", "-q", "-b", name, "main")
        for path, value in changes:
            self.seal.put(path, value)
            self.commit(f"{path} on {name}")

    def merge(self):
        self.git("checkout", "-q", "left")
        return self.git("merge", "-q", "-m", "merge", "right", ok=False)


def generate(rng):
    """A base and two branches which touch different entries, old and new ones."""
    names = rng.sample(NAMES, len(NAMES))
    base, mine, theirs = names[:4], names[:2] + names[4:6], names[2:4] + names[6:8]
    pick = lambda of, who: [(rng.choice(of), f"{who} {i}") for i in range(rng.randint(1, 4))]
    return base, pick(mine, "left"), pick(theirs, "right")


def make(folder, rng, union):
    folder.mkdir()
    repo = Repo(folder, union)
    base, left, right = generate(rng)
    for name in base:
        repo.put(name, "base")
    repo.commit("base")
    repo.branch("left", left)
    repo.branch("right", right)
    return repo, {**repo.values, **dict(left), **dict(right)}


def check(repo, values):
    repo.seal.verify()
    for name, value in values.items():
        assert repo.seal.get(name).decode() == value


@pytest.mark.parametrize("number", range(8))
def test_histories_merge_with_union(tmp_path, number):
    repo, values = make(tmp_path / "repo", random.Random(number), union=True)
    done = repo.merge()
    assert done.returncode == 0, done.stdout
    check(repo, values)
    repo.seal.put("after/merge", "x")  # the next write sorts
    assert "canonical" not in repo.seal.verify().stderr.decode()


@pytest.mark.parametrize("number", range(8, 14))
def test_histories_merge_without_it(tmp_path, number):
    """A merge is clean, or its conflict is resolved by keeping both sides' lines."""
    repo, values = make(tmp_path / "repo", random.Random(number), union=False)
    if repo.merge().returncode != 0:
        text = repo.seal.file.read_text()
        assert "conflict marker" in repo.seal.fails("put", "web/db", value=b"x")
        for name in values:  # what is not in the conflict is readable meanwhile
            if text.split("<<<<<<<")[0].count(f"entry {name} "):
                repo.seal.run("get", name, "-i", repo.seal.key, ok=None)
        repo.seal.file.write_text("".join(l for l in text.splitlines(True)
                                          if not l.startswith(("<<<<<<<", "=======", ">>>>>>>"))))
    check(repo, values)


def test_updates_of_neighbours_merge_without_help(tmp_path):
    (tmp_path / "repo").mkdir()
    repo = Repo(tmp_path / "repo", union=False)
    for name in NAMES:
        repo.put(name, "base")
    repo.commit("base")
    repo.branch("left", [("api/db", "l"), ("billing/mail", "l")])
    repo.branch("right", [("api/mail", "r"), ("web/key", "r")])
    assert repo.merge().returncode == 0
    check(repo, {**repo.values, "api/db": "l", "billing/mail": "l", "api/mail": "r",
                 "web/key": "r"})


@pytest.mark.parametrize("union", [True, False])
def test_both_wrote_one_entry(tmp_path, union):
    (tmp_path / "repo").mkdir()
    repo = Repo(tmp_path / "repo", union)
    repo.put("a", "base")
    repo.put("b", "base")
    repo.commit("base")
    repo.branch("left", [("a", "left")])
    repo.branch("right", [("a", "right")])
    done = repo.merge()
    assert (done.returncode == 0) == union
    seal = repo.seal
    if not union:
        text = seal.file.read_text()
        assert text.count("entry a 2 put") == 2  # both sides can be read in the conflict
    assert "both version 2 of 'a'" in seal.fails("get", "a", "-i", seal.key)
    assert "both version 2 of 'a'" in seal.fails("verify")
    assert seal.get("b") == b"base"
    # Keep one, put the other again.
    lines = seal.file.read_text().splitlines(True)
    other = [l for l in lines if l.startswith("entry a 2 ")][1]
    seal.file.write_text("".join(l for l in lines if l != other and l[:7] not in
                                 ("<<<<<<<", "=======", ">>>>>>>")))
    assert seal.get("a") in (b"left", b"right")
    seal.put("a", "right")
    seal.verify()


def test_the_same_commit_on_both_sides_counts_once(tmp_path):
    (tmp_path / "repo").mkdir()
    repo = Repo(tmp_path / "repo", union=True)
    repo.put("a", "base")
    repo.commit("base")
    repo.branch("left", [("a", "2")])
    repo.git("checkout", "-q", "-b", "right", "main")
    repo.git("cherry-pick", "left")
    repo.seal.put("b", "r")
    repo.commit("b")
    assert repo.merge().returncode == 0
    check(repo, {"a": "2", "b": "r"})


def test_git_is_told_about_union(tmp_path):
    (tmp_path / "repo").mkdir()
    repo = Repo(tmp_path / "repo", union=False)
    assert "secrets.sealed merge=union" in repo.seal.put("a", "1").stderr.decode()
