# SPDX-License-Identifier: Apache-2.0
"""Runs test/support/prog/store_get: one store, command by command."""
import hashlib
import json
import os
import pathlib
import queue
import subprocess
import threading
import time

from machine import LIMIT_S, start


def prog(name):
    """The program built as the executables under test are."""
    here = pathlib.Path(os.environ["AMPOULE_BIN"]).resolve()
    variant = {"static": "mbedtls-musl", "bin": "openssl-glibc"}.get(here.name)
    own = here.parent / "test" / "prog" / name
    return str(own if own.exists() else here.parent / variant / "test" / "prog" / name)


def wait_until(check, limit=LIMIT_S):
    """For what has no event of its own."""
    end = time.monotonic() + limit
    while not check():
        assert time.monotonic() < end, f"did not happen within {limit} s"
        time.sleep(0.01)


def digest(value):
    """As store_get shows values."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Store:
    """with Store(folder, config) as s: s.ask("get kv/app")"""

    def __init__(self, folder, config, env=None):
        path = pathlib.Path(folder) / "store.json"
        path.write_text(json.dumps(config))
        self.err = open(pathlib.Path(folder) / "store.err", "wb+")
        argv = [os.environ.get("AMPOULE_STORE_GET") or prog("store_get"), str(path)]
        self.process = start(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.err,
                             text=True, env=env)
        self.lines = queue.Queue()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def __enter__(self):
        return self

    def __exit__(self, kind, *exc):
        try:
            self.process.stdin.close()
            status = self.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            self.process.kill()
            self.process.wait()
            self.thread.join()  # it reads to the end: nobody else holds the pipe
            self.process.stdout.close()
            self.err.seek(0)
            said = self.err.read().decode(errors="replace")
            self.err.close()
        if kind is None:
            assert status == 0 and not said, f"exit {status}: {said}"

    def say(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def line(self, limit=LIMIT_S):
        try:
            got = self.lines.get(timeout=limit)
        except queue.Empty:
            raise AssertionError(f"no answer within {limit} s") from None
        assert got is not None, "the program has ended"
        return got

    def ask(self, command):
        """The answer; a list of them, by path, when several are asked for."""
        self.say(command)
        words = command.split()
        if words[0] in ("get", "list") and len(words) > 2:
            return {a["path"]: a for a in (self.line() for _ in words[1:])}
        return self.line()

    def good(self, command):
        a = self.ask(command)
        assert a["ok"], a
        return a

    def bad(self, command, kind, *says):
        a = self.ask(command)
        assert not a["ok"] and a["kind"] == kind, a
        for text in says:
            assert text in a["error"], a
        return a


# --- configurations of the vault store --------------------------------------------------------


def write(folder, name, text):
    path = pathlib.Path(folder) / name
    path.write_text(text)
    return str(path)


def config(bao, method, address=None, mount_path=None, namespace=None, **keys):
    auth = {"method": method, "config": keys}
    if mount_path:
        auth["mount_path"] = mount_path
    c = {"type": "vault", "address": address or bao.https, "auth": auth, "timeout_ms": 20000,
         "tls": {"ca_file": bao.authority.cert}}
    if namespace:
        c["namespace"] = namespace
    return c


def with_token(bao, folder, *rules, ttl="1h", address=None, **more):
    """A configuration with a token that has these rights."""
    name = f"p-{pathlib.Path(folder).name}"
    bao.policy(name, *rules)
    token = bao.token([name], ttl=ttl, **more)
    return config(bao, "token_file", address=address,
                  token_file_path=write(folder, "token", token + "\n")), token


def approle(bao, folder, policies=("app",), **keys):
    """The role `web`, with these policies."""
    role_id, secret_id = bao.approle("web", list(policies), token_ttl="1h")
    return config(bao, "approle", role_id_file_path=write(folder, "role-id", role_id),
                  secret_id_file_path=write(folder, "secret-id", secret_id), **keys)
