# SPDX-License-Identifier: Apache-2.0
"""Token sinks: modes and owners, wrapped, encrypted, written again until it has worked. What
is encrypted is opened by one reader, which opens the real `bao agent`'s in the same way."""

import base64
import json
import os
import stat
import subprocess

import pytest

import bao as bao_server
from agent_run import Agent, memory_folder, prog, read, remove_folder, wait_until


@pytest.fixture(name="folder")
def _folder():
    path = memory_folder()
    yield path
    remove_folder(path)


@pytest.fixture(name="start")
def _start(folder):
    running = []

    def start(config, *args, **keys):
        running.append(Agent(folder, config, *args, **keys))
        return running[-1]

    yield start
    for r in running:
        r.close()


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def config(bao, folder, *sinks, method="", **role):
    """The peer's own configuration; each sink is a text of HCL."""
    bao.policy("sink", ("kv/data/app", "read"))
    role_id, secret_id = bao.approle("sink", ["sink"], **role)
    return (f'vault {{\n address = "{bao.https}"\n ca_cert = "{bao.authority.cert}"\n}}\n'
            f'auto_auth {{\n method "approle" {{\n  {method}\n  config = {{\n'
            f'   role_id_file_path = "{write(f"{folder}/role-id", role_id)}"\n'
            f'   secret_id_file_path = "{write(f"{folder}/secret-id", secret_id)}"\n'
            f'   remove_secret_id_file_after_reading = false\n  }}\n }}\n'
            + "".join(f' sink "file" {{\n{s}\n }}\n' for s in sinks) + "}\n")


def sink(path, *more, **keys):
    keys = "".join(f"  {k} = {v}\n" for k, v in keys.items())
    return "\n".join(more) + f'\n config = {{\n  path = "{path}"\n{keys} }}'


def good(bao, token):
    return bao.get("auth/token/lookup-self", token=token)["data"]["policies"] == ["default", "sink"]


# --- plain --------------------------------------------------------------------------------


def test_modes_and_owners(bao, folder, start):
    uid = 4711 if os.geteuid() == 0 else os.geteuid()
    gid = 4712 if os.geteuid() == 0 else os.getegid()
    a = start(config(bao, folder, sink(f"{folder}/plain"), sink(f"{folder}/own/deep", mode="0400"),
                     sink(f"{folder}/other", mode="0440", uid=uid, gid=gid)), "--once")
    assert a.ended() == 0
    token = read(f"{folder}/plain")
    assert good(bao, token) and "\n" not in token
    assert token == read(f"{folder}/own/deep") == read(f"{folder}/other")
    found = {name: os.stat(f"{folder}/{name}") for name in ("plain", "own/deep", "other")}
    assert [stat.S_IMODE(s.st_mode) for s in found.values()] == [0o640, 0o400, 0o440]
    assert (found["other"].st_uid, found["other"].st_gid) == (uid, gid)
    assert sorted(os.listdir(f"{folder}/own")) == ["deep"]  # nothing is left beside it


def test_a_new_token_reaches_the_sink(bao, folder, start):
    a = start(config(bao, folder, sink(f"{folder}/t"), token_ttl="3s", token_max_ttl="5s"))
    first = wait_until("the token", lambda: read(f"{folder}/t"))
    second = wait_until("the next", lambda: read(f"{folder}/t") != first and read(f"{folder}/t"))
    assert good(bao, second)
    assert not a.events("token not written")


def test_a_sink_that_cannot_be_written_holds_up_no_other(bao, folder, start):
    write(f"{folder}/wall", "a file where a folder is wanted")
    a = start(config(bao, folder, sink(f"{folder}/wall/t"), sink(f"{folder}/t")))
    assert good(bao, wait_until("the other", lambda: read(f"{folder}/t")))
    got = a.event("token not written")
    assert f"{folder}/wall/t" in got["error"] and 1000 <= got["retry_ms"] <= 3000
    assert a.probe("startup").returncode == 1
    os.unlink(f"{folder}/wall")
    wait_until("the first", lambda: read(f"{folder}/wall/t") == read(f"{folder}/t"))
    a.started()


def test_once_with_a_sink_that_cannot_be_written(bao, folder, start):
    write(f"{folder}/wall", "")
    a = start(config(bao, folder, sink(f"{folder}/wall/t")), "--once", "--timeout", "5s")
    assert a.ended() == 1
    assert f"{folder}/wall/t" in a.output().splitlines()[-1]


# --- wrapped ------------------------------------------------------------------------------


def test_wrapped_sink(bao, folder, start):
    a = start(config(bao, folder, sink(f"{folder}/w", 'wrap_ttl = "90s"'), sink(f"{folder}/t")),
              "--once")
    assert a.ended() == 0
    text = read(f"{folder}/w")
    info = json.loads(text)
    assert text.endswith("}\n") and info["ttl"] == 90
    assert info["creation_path"] == "sys/wrapping/wrap"
    token = bao.put("sys/wrapping/unwrap", token=info["token"])["data"]["token"]
    assert token == read(f"{folder}/t") and token not in text


def test_wrapped_login(bao, folder, start):
    """The sink gets the login's answer, unopened: the agent itself has no token."""
    a = start(config(bao, folder, sink(f"{folder}/w"), method='wrap_ttl = "90s"'))
    info = json.loads(wait_until("the wrapping", lambda: read(f"{folder}/w")))
    assert info["creation_path"] == "auth/approle/login" and info["wrapped_accessor"]
    token = bao.put("sys/wrapping/unwrap", token=info["token"])["auth"]["client_token"]
    assert good(bao, token)
    a.started()
    assert a.probe("live").returncode == 0 and len(a.events("login")) == 1


def test_a_login_and_its_sink_do_not_both_wrap(bao, folder, start):
    a = start(config(bao, folder, sink(f"{folder}/w", 'wrap_ttl = "90s"'),
                     method='wrap_ttl = "90s"'))
    assert a.ended() == 1 and "one of the two is wanted" in a.output()


# --- encrypted ----------------------------------------------------------------------------


class Reader:
    """Whoever shall read the token: a key pair, and the way to open what comes."""

    def __init__(self, folder):
        self.private = os.urandom(32)
        self.public = self._crypto(f"x25519pub {self.private.hex()}")
        self.file = f"{folder}/reader.json"
        self.publish = lambda: write(self.file, json.dumps(
            {"curve25519_public_key": base64.b64encode(self.public).decode()}))

    @staticmethod
    def _crypto(line):
        out = subprocess.run([prog("crypto_run")], input=line + "\n", capture_output=True,
                             text=True, check=True, timeout=20).stdout.strip()
        return None if out.startswith("error") else bytes.fromhex(out)

    def open(self, text, derive=False, aad=b""):
        e = {k: base64.b64decode(v) for k, v in json.loads(text).items()}
        theirs = e["curve25519_public_key"]
        key = self._crypto(f"x25519 {self.private.hex()} {theirs.hex()}")
        if derive:
            low, high = sorted((theirs, self.public))
            key = self._crypto(f"hkdf {key.hex()} {low.hex()} {high.hex()}")
        plain = self._crypto(f"open 1 {key.hex()} {e['nonce'].hex()} {aad.hex() or '-'} "
                             f"{e['encrypted_payload'].hex()}")
        return plain and plain.decode()


KINDS = [({}, False, b""), ({"derive_key": "true"}, True, b""),
         ({"aad": '"some words"', "derive_key": "true"}, True, b"some words"),
         ({"aad_env_var": '"SINK_AAD"'}, False, b"of the environment")]


def encrypted(path, reader, **keys):
    return sink(path, 'dh_type = "curve25519"', f'dh_path = "{reader.file}"',
                *(f"{k} = {v}" for k, v in keys.items()))


@pytest.mark.parametrize("keys, derive, aad", KINDS)
def test_encrypted_sink(bao, folder, start, keys, derive, aad):
    reader = Reader(folder)
    reader.publish()
    a = start(config(bao, folder, encrypted(f"{folder}/e", reader, **keys), sink(f"{folder}/t")),
              "--once", env={"SINK_AAD": "of the environment"})
    assert a.ended() == 0
    text, token = read(f"{folder}/e"), read(f"{folder}/t")
    assert token not in text
    assert reader.open(text, derive, aad) == token and good(bao, token)
    assert reader.open(text, not derive, aad) is None
    assert reader.open(text, derive, aad + b".") is None


@pytest.mark.parametrize("keys, derive, aad", KINDS)
def test_the_reader_opens_the_peers_sink(bao, folder, keys, derive, aad):
    """What proves the reader of the test above: the real `bao agent` with the same file."""
    reader = Reader(folder)
    reader.publish()
    text = config(bao, folder, encrypted(f"{folder}/e", reader, **keys), sink(f"{folder}/t"))
    path = write(f"{folder}/peer.hcl", "exit_after_auth = true\n" + text)
    subprocess.run([bao_server.binary(), "agent", f"-config={path}"], check=True, timeout=60,
                   capture_output=True, env={**os.environ, "SINK_AAD": "of the environment"})
    assert reader.open(read(f"{folder}/e"), derive, aad) == read(f"{folder}/t")


def test_wrapped_and_encrypted(bao, folder, start):
    reader = Reader(folder)
    reader.publish()
    a = start(config(bao, folder, encrypted(f"{folder}/e", reader, wrap_ttl='"60s"')), "--once")
    assert a.ended() == 0
    info = json.loads(reader.open(read(f"{folder}/e")))
    assert good(bao, bao.put("sys/wrapping/unwrap", token=info["token"])["data"]["token"])


def test_each_writing_has_a_key_of_its_own(bao, folder, start):
    reader = Reader(folder)
    reader.publish()
    start(config(bao, folder, encrypted(f"{folder}/e", reader), token_ttl="3s",
                 token_max_ttl="5s"))
    first = json.loads(wait_until("a token", lambda: read(f"{folder}/e")))
    wait_until("the next", lambda: json.loads(read(f"{folder}/e")) != first)
    second = json.loads(read(f"{folder}/e"))
    assert first["curve25519_public_key"] != second["curve25519_public_key"]
    assert good(bao, reader.open(json.dumps(second)))


@pytest.mark.parametrize("text, says", [
    (None, "dh_path"), ("", "dh_path"), ("[]", "dh_path"), ('{"curve25519_public_key": "AAAA"}',
                                                            "the base64 of 32 bytes"),
    ('{"curve25519_public_key": 5}', "curve25519_public_key"),
    (json.dumps({"curve25519_public_key": base64.b64encode(bytes(32)).decode()}), "sink")])
def test_a_readers_key_that_comes_later(bao, folder, start, text, says):
    reader = Reader(folder)
    if text is not None:
        write(reader.file, text)
    a = start(config(bao, folder, encrypted(f"{folder}/e", reader), sink(f"{folder}/t")))
    assert says in a.event("token not written")["error"]
    assert good(bao, wait_until("the other sink", lambda: read(f"{folder}/t")))
    reader.publish()
    wait_until("the token", lambda: read(f"{folder}/e"))
    assert reader.open(read(f"{folder}/e")) == read(f"{folder}/t")


def test_failures_are_few(bao, folder, start):
    """A sink that never works is tried ever more seldom, and costs one wrapping a try."""
    write(f"{folder}/wall", "")
    a = start(config(bao, folder, sink(f"{folder}/wall/t", 'wrap_ttl = "60s"')))
    waits = [a.event("token not written")["retry_ms"] for _ in range(3)]
    assert waits[0] < waits[1] < waits[2] and waits[2] > 5000
