# SPDX-License-Identifier: Apache-2.0
"""Runs `ampoule seal` in a folder of its own. No value is ever passed as an argument."""
import base64
import os
import pathlib
import subprocess

TOOL = pathlib.Path(os.environ["AMPOULE_BIN"]) / "ampoule"
HERE = pathlib.Path(__file__).parent


def built(name):
    """A program of others that build.sh makes once, from its Go module."""
    done = subprocess.run(["sh", HERE / "build.sh"], stdout=subprocess.PIPE, text=True, check=True)
    return pathlib.Path(done.stdout.strip()) / name


class Seal:
    """A sealed file, its key, and the commands on it."""

    def __init__(self, folder, name="secrets.sealed", key=None):
        self.folder = pathlib.Path(folder)
        self.file = self.folder / name
        self.key = key or self.folder / "key.txt"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("AMPOULE_")}
        self.env.update(AMPOULE_AUTHOR="Tester <t@example.org>", HOME=str(self.folder))
        if not self.key.exists():
            self.keygen(self.key)
        self.recipient = (self.key.read_text().split("public key: ")[1].split()[0])

    def run(self, word, *args, value=b"", ok=True, file=True, env=None):
        where = ["-f", str(self.file)] if file else []
        done = subprocess.run([TOOL, "seal", word, *where, *map(str, args)], input=value,
                              capture_output=True, env={**self.env, **(env or {})}, timeout=60)
        if ok:
            assert done.returncode == 0, done.stderr.decode()
        elif ok is False:
            assert done.returncode in (1, 2), done
            assert not done.stdout or word in ("verify", "list", "history")
        return done

    def keygen(self, path, *args):
        return self.run("keygen", "-o", path, *args, file=False).stdout.decode().strip()

    def put(self, path, value, *args, **keys):
        if isinstance(value, str):
            value = value.encode()
        first = [] if self.file.exists() else ["-r", self.recipient]
        return self.run("put", path, "--exact", *first, *args, value=value, **keys)

    def get(self, path, *args, **keys):
        return self.run("get", path, "-i", self.key, *args, **keys).stdout

    def fails(self, word, *args, **keys):
        """The one line that a failure prints."""
        text = self.run(word, *args, ok=False, **keys).stderr.decode()
        return text

    def verify(self, *args, ok=True):
        return self.run("verify", "-i", self.key, *args, ok=ok)

    def lines(self):
        return [l for l in self.file.read_text().splitlines() if l.startswith("entry ")]

    def line(self, path, version):
        return next(l for l in self.lines() if l.startswith(f"entry {path} {version} "))


def clear_of(line):
    """The words in the clear, and the age message."""
    words = line.split(" ")
    return " ".join(words[:7]), base64.b64decode(words[7], validate=True)
