# SPDX-License-Identifier: Apache-2.0
"""Configurations of Vault Agent and `bao agent`, unchanged: each of test/cases/dropin is run by
the real `bao agent` and by ours, at the same path, against the same server. Files, bytes, modes,
owners and exit codes must be equal; where they are not, DIFFERENCES says why, and so does the
README.

A case is NAME.hcl or NAME.json; NAME.run may add lines "KEY: VALUE":
    config   the files or folders to give instead, in this order
    args     more words of the command line
    env      variables of the environment
    until    files that appear; then the agent gets a signal (TERM, or `signal`)
    normal   "json" or "pem": only the form of what is written is compared, as its bytes are random
In all of it @W@ is the work folder, @ADDR@, @TLS@ and @SOCKET@ the server, @PORT@ a free port."""
import json
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import time

import pytest

import bao as bao_server
import machine

HERE = pathlib.Path(__file__).parents[1]
CASES = HERE / "cases" / "dropin"
BIN = pathlib.Path(os.environ["AMPOULE_BIN"])
LIMIT_S = 12
FIXTURES = ("w", "config", "home")

# Both builds are held against one run of `bao agent`: that one takes the time.
AGENTS = [BIN / "ampoule-agent"]
if not os.environ.get("AMPOULE_DROPIN_ONE") and BIN.name == "bin" and (BIN.parent / "static" / "ampoule-agent").exists():
    AGENTS.append(BIN.parent / "static" / "ampoule-agent")

# `bao agent` is not the same each time (it may end before it has written every file): it is asked
# again when the two differ. Ours runs once.
PEER_RUNS = 3

# Where ours is meant to differ: what, and why. Each is a row of the README. RACY: where theirs
# depends on the order in which answers arrive.
RACY = {"secret_absent_of_two", "template_command_once_for_two", "template_command_fails"}
DIFFERENCES = {
    "json_method_alone": ({"exit", "out/db"}, "one `method` object in JSON needs no list around it"),
    "json_perms_decimal": ({"exit", "out/b"}, "`perms` as a decimal number that is no mode is refused"),
    "sink_folder_missing": ({"exit", "out/none", "out/none/token"}, "the folder of a sink is made"),
    "sink_mode_text": ({"exit", "out/token"}, "the mode of a sink may be text"),
    "secret_file": ({"exit", "out/f"}, "`file` reads below `read_dirs` only"),
    "exec_and_template": ({"exit", "out/db", "out/env"}, "`template` and `env_template` may stand together"),
    "exec_no_such_program": ({"exit"}, "a command that is not there ends the agent with 127"),
    "exec_stop_signal": ({"exit", "out/got"}, "a signal to the agent reaches the command as it is"),
    "secret_absent_of_two": ({"out/db"}, "what can be rendered is written before a failing start ends"),
    "template_command_fails": ({"exit"}, "a command that fails ends `exit_after_auth` with 1"),
    "template_command_once_for_two": ({"exit", "out/a", "out/b", "out/ran"}, "commands run when all files are there"),
}


def names():
    return sorted({p.stem if p.is_file() else p.name for p in CASES.iterdir()
                   if p.suffix in (".hcl", ".json", ".run")})


class World:
    """The server's side, and the files that a run finds in its work folder."""

    def __init__(self, bao, review, authority, issuer):
        self.bao, self.authority, self.issuer, self.review = bao, authority, issuer, review
        bao.kv1("d1")
        bao.kv2("d2")
        db = {"user": "app", "password": "p@ss'\"w\\rd", "port": 5432, "ratio": 1.50, "zero": 0,
              "big": 12345678901234567890}
        bao.put("d1/db", db)
        bao.put("d1/odd", {"a-b": "dash", "b64": "AAEC/w==", "special": "<a>&'\"\\ é😀\n"})
        bao.put("d2/data/db", {"data": {"user": "first", "password": "x"}})
        bao.put("d2/data/db", {"data": {"user": "app2", "password": "s3cr<t&"}})
        bao.put("d2/data/old", {"data": {"a": "1"}})
        for i in ("one", "two", "three"):
            bao.put(f"d1/app/{i}", {"v": i})
            bao.put(f"d2/data/app/{i}", {"data": {"v": i}})
        bao.policy("dropin", *[(p, "create", "read", "update", "list") for p in
                               ("d1/*", "d2/*", "pki/*", "transit/*", "sys/tools/*", "sys/wrapping/*")])
        self.logins()
        bao.mount("pki", "pki", max_lease_ttl="87600h")
        bao.put("pki/root/generate/internal", {"common_name": "Drop-in test CA", "ttl": "87600h"})
        bao.put("pki/roles/web", {"allow_any_name": True, "key_type": "ec", "key_bits": 256, "ttl": "1h"})
        bao.mount("transit", "transit")
        bao.put("transit/keys/app")
        self.cipher = bao.put("transit/encrypt/app", {"plaintext": "aGVsbG8="})["data"]["ciphertext"]
        self.client = authority.issue("dropin-client", "DNS:app", usage="clientAuth")

    def logins(self):
        bao = self.bao
        bao.approle("app", ["dropin"])
        bao.approle("other", ["dropin"])
        self.role_id = bao.get("auth/approle/role/app/role-id")["data"]["role_id"]
        self.role_alone, _ = bao.approle("alone", ["dropin"], bind_secret_id=False,
                                         token_bound_cidrs=["127.0.0.1/8"])
        bao.jwt(self.issuer, "app", ["dropin"])
        self.account = self.issuer.account_token("shop", "app")
        self.review.known[self.account] = ("shop", "app", ["https://kubernetes.default.svc"])
        for mount in ("kubernetes", "k8s-two"):
            bao.kubernetes(self.review, "app", ["dropin"], mount=mount)
        bao.certificates("app", ["dropin"])
        try:
            bao.put("sys/namespaces/team")
        except bao_server.BaoError as e:
            assert "already" in e.body, e
        team = {"headers": {"X-Vault-Namespace": "team"}}
        for path, kind in (("sys/mounts/nkv", "kv"), ("sys/auth/approle", "approle")):
            try:
                bao.put(path, {"type": kind, "options": {"version": "1"} if kind == "kv" else {}}, **team)
            except bao_server.BaoError as e:
                assert "already in use" in e.body, e
        bao.put("nkv/n", {"v": "of the team"}, **team)
        bao.put("sys/policies/acl/n", {"policy": 'path "nkv/*" { capabilities = ["read"] }'}, **team)
        bao.put("auth/approle/role/n", {"token_policies": ["n"], "bind_secret_id": False,
                                        "token_bound_cidrs": ["127.0.0.1/8"]}, **team)
        self.role_ns = bao.get("auth/approle/role/n/role-id", **team)["data"]["role_id"]

    def fill(self, w):
        shutil.rmtree(w, ignore_errors=True)
        for folder in ("out", "secrets", "home", "ca", "cache"):
            (w / folder).mkdir(parents=True)
        files = {
            "token": self.bao.token(["dropin"]), "role_id": self.role_id,
            "secret_id": self.bao.put("auth/approle/role/app/secret-id")["data"]["secret_id"],
            "secret_id_wrapped": self.bao.wrapped_secret_id("app"), "role_id_alone": self.role_alone,
            "role_id_ns": self.role_ns, "jwt": self.issuer.token(aud="ampoule", sub="app"),
            "sa-token": self.account, "db.ctmpl": '{{ with secret "d1/db" }}{{ .Data.user }}{{ end }}\n',
            "plain.txt": "plain\n", "out/old": "old content", "out/equal": "app:p@ss'\"w\\rd",
            "dh.json": json.dumps({"curve25519_public_key": "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="}),
            "ca.pem": pathlib.Path(self.authority.cert).read_text(),
            "ca/ca.pem": pathlib.Path(self.authority.cert).read_text(),
            "client.pem": pathlib.Path(self.client[0]).read_text(),
            "client.key": pathlib.Path(self.client[1]).read_text(),
        }
        for name, text in files.items():
            (w / name).write_text(text)
        (w / "out/old").chmod(0o640)

    def fit(self, text, w):
        for mark, value in (("@W@", str(w)), ("@ADDR@", self.bao.http), ("@TLS@", self.bao.https),
                            ("@SOCKET@", self.bao.socket), ("@CIPHER@", self.cipher),
                            ("@PORT@", str(self.port))):
            text = text.replace(mark, value)
        return text


@pytest.fixture(scope="module")
def world(shared_bao, authority, issuer):
    review = bao_server.TokenReview()
    yield World(shared_bao, review, authority, issuer)
    review.close()


def run_lines(name):
    path = CASES / f"{name}.run"
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split(": ", 1) for line in lines)


def place(world, name, run, w):
    """Copies the configuration into the work folder; returns the words that name it."""
    world.fill(w)
    config = w / "config"
    config.mkdir()
    given = run.get("config", "").split() or [p.name for p in CASES.glob(f"{name}.*") if p.suffix != ".run"]
    for source in {g.split("/")[0] for g in given}:
        paths = [CASES / source] if not (CASES / source).is_dir() else sorted((CASES / source).iterdir())
        for path in paths:
            if path.exists():
                to = config / path.relative_to(CASES)
                to.parent.mkdir(exist_ok=True)
                to.write_text(world.fit(path.read_text(), w))
    return [f"-config={config / g}" for g in given]


def start(world, argv, run, w):
    env = {"PATH": os.environ["PATH"], "HOME": str(w / "home"), "LANG": "C.UTF-8"}
    env.update(word.split("=", 1) for word in world.fit(run.get("env", ""), w).split())
    argv = [str(a) for a in argv] + world.fit(run.get("args", ""), w).split()
    return machine.start(argv, env=env, cwd=w, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, umask=0o022, start_new_session=True)


def execute(world, name, program, w):
    """(exit status or "still running", files, log)"""
    run = run_lines(name)
    config = place(world, name, run, w)
    process = start(world, [*program, *config], run, w)
    end = time.monotonic() + LIMIT_S
    if "until" in run:
        wanted = [w / p for p in run["until"].split()]
        while process.poll() is None and time.monotonic() < end and not all(
                p.exists() and p.stat().st_size for p in wanted):
            time.sleep(0.01)
        process.send_signal(getattr(signal, "SIG" + run.get("signal", "TERM")))
    try:
        log = process.communicate(timeout=LIMIT_S)[0].decode(errors="replace")
        status = process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        log = process.communicate()[0].decode(errors="replace")
        status = "still running"
    return status, files(w, run.get("normal")), log


def shape(value):
    if isinstance(value, dict):
        return {k: shape(v) for k, v in sorted(value.items())}
    return type(value).__name__


def form(data, normal):
    text = data.decode(errors="surrogateescape")
    if normal == "json" and text.startswith('{"'):
        return json.dumps(shape(json.loads(text)))
    if normal == "pem":
        text = re.sub(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", r"<\1>", text, flags=re.S)
    return re.sub(r"\bs\.[A-Za-z0-9]{24,}(\.[A-Za-z0-9]+)?", "<token>", text)


def files(w, normal):
    found = {}
    for path in sorted(w.rglob("*")):
        name = path.relative_to(w)
        if name.parts[0] in ("config", "home", "cache"):
            continue
        s = path.lstat()
        about = f"{stat.filemode(s.st_mode)} {s.st_uid}:{s.st_gid}"
        if path.is_symlink():
            content = os.readlink(path)
        elif path.is_file():
            content = form(path.read_bytes(), normal)
        else:
            content = ""
        found[str(name)] = (about, content)
    for credential in ("token", "secret_id", "secret_id_wrapped", "jwt", "sa-token"):
        if credential in found:
            found[credential] = (found[credential][0], "as given")
    return found


def proves_nothing(name, theirs):
    """Why an equal run would say nothing: the peer had to be killed, or ended well and wrote nothing."""
    if theirs[0] == "still running":
        return "bao agent does not end"
    words = "".join(p.read_text() for p in CASES.glob(f"{name}.*"))
    written = [p for p in theirs[1] if p.startswith("out/") and p not in ("out/old", "out/equal")]
    if theirs[0] == 0 and "@W@/out/" in words and not written and "out/equal" not in words and "out/old" not in words:
        return "bao agent has written nothing"
    return None


def compare(theirs, ours):
    """Where the two runs differ: "exit" and paths."""
    paths = set(theirs[1]) | set(ours[1])
    seen = {p for p in paths if theirs[1].get(p) != ours[1].get(p)}
    return seen | ({"exit"} if ours[0] != theirs[0] else set())


@pytest.mark.parametrize("name", names())
def test_as_bao_agent(world, name, session_folder):
    w = session_folder / "w"
    world.port = machine.free_port()
    expected = DIFFERENCES.get(name, [set()])[0]
    theirs = execute(world, name, [bao_server.binary(), "agent"], w)
    why = proves_nothing(name, theirs)
    assert why is None, f"{name}: {why}\n{theirs[2][-1500:]}"
    for agent in AGENTS:
        ours = execute(world, name, [agent, "agent"], w)
        for _ in range(PEER_RUNS):
            seen = compare(theirs, ours)
            if seen == expected or (name in RACY and seen <= expected):
                break
            theirs = execute(world, name, [bao_server.binary(), "agent"], w)
        else:
            pytest.fail("\n".join(
                [f"{agent}: {name}", f"exit: theirs {theirs[0]}, ours {ours[0]}"]
                + [f"{p}: theirs {theirs[1].get(p)}\n   ours {ours[1].get(p)}" for p in sorted(seen - {"exit"})]
                + ["--- theirs", theirs[2][-1500:], "--- ours", ours[2][-1500:]]))


def test_the_corpus_is_large():
    assert len(names()) >= 60


def test_the_readme_lists_every_difference():
    text = (HERE.parent / "README.md").read_text(encoding="utf-8")
    for name, (_, reason) in DIFFERENCES.items():
        assert reason in text, f"{name}: {reason}"
