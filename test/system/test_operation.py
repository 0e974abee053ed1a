# SPDX-License-Identifier: Apache-2.0
"""What an operator sees: the same one-line reason in the log, the audit, the status and the
termination message; audit lines in a file of their own; probes. Why logins fail is in
test_logins.py, metrics and listeners are in test_listener.py."""
import json
import os
import stat

import pytest

from agent_run import (AGENT, Agent, Sealed, deliver, memory_folder, read, remove_folder, run,
                       template, wait_until)
from test_listener import ask, sample, token_file
from vault import Answer, errors

KV = '{{ with secret "kv/data/app" }}{{ .Data.data.password }}{{ end }}'


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


def denied(bao, fake):
    bao.policy("nothing", ("kv/data/other", "read"))
    return bao.https, bao.token(["nothing"]), bao.authority.cert


def missing(bao, fake):
    bao.policy("none", ("kv/data/app", "read"))
    bao.delete("kv/metadata/app")
    return bao.https, bao.token(["none"]), bao.authority.cert


def sealed_store(bao, fake):
    fake.login()
    fake.on("kv/data/app", Answer(503, json=errors("Vault is sealed")))
    return fake.address, "s.token", None


def revoked(bao, fake):
    return bao.https, "s.thistokenisnoneatall", bao.authority.cert


WHY = {
    "403": (denied, ["kv/data/app", "may not read"]),
    "404": (missing, ["kv/data/app", "(404)"]),
    "sealed": (sealed_store, ["sealed"]),
    "bad token": (revoked, ["token"]),
}


@pytest.mark.parametrize("case", WHY)
def test_one_reason_everywhere(bao, fake, folder, start, case):
    bao.kv2("kv")
    make, says = WHY[case]
    address, token, ca = make(bao, fake)
    message, audit, port = (f"{folder}/{n}" for n in ("message", "audit", "metrics.sock"))
    open(message, "w", encoding="ascii").close()
    a = start(f'termination_log = "{message}"\naudit_file = "{audit}"\n'
              f'metrics_address = "unix://{port}"\n' + token_file(folder, address, token, ca) +
              template(f"{folder}/out", KV), "--once", "--timeout", "12s")

    def said():
        """The reason, once it is in the status."""
        text = json.dumps(a.status())
        return text if all(word in text for word in says) else None

    wait_until("it is there", lambda: a.probe("live").returncode == 0)
    shown = wait_until("a reason", said)
    failed = ask(port, "GET", "/metrics")[1].decode()
    assert 'ampoule_errors_total{op="' in failed
    assert sample(failed.encode(), "ready") == 0
    assert a.ended() == 1
    last = a.output().splitlines()[-1]
    audited = [json.loads(line) for line in read(audit).splitlines()]
    reasons = [x["error"] for x in audited if x["msg"] == "error"]
    for where, text in {"status": shown, "stderr": last, "message": read(message),
                        "audit": "\n".join(reasons)}.items():
        assert all(word in text for word in says), (where, text)
        assert token not in text
    assert read(message) in last and "\n" not in read(message)


def test_audit_lines_have_a_file_of_their_own(folder, start):
    sealed = Sealed(folder)
    sealed.put("db/password", "canary-one")
    os.mkdir(f"{folder}/app")
    path = f"{folder}/audit.jsonl"
    a = start(f'audit_file = "{path}"\n' + sealed.store() + deliver(folder, "app") +
              template(f"{folder}/app/pw", '{{ with secret "db/password" }}{{ .Data.value }}'
                       '{{ end }}'), "--log-format", "text").started()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert read(f"{folder}/app/pw") == "canary-one"

    def events():
        return [json.loads(line) for line in read(path).splitlines()]

    wait_until("the receipt", lambda: any(x["msg"] == "read" for x in events()))
    got = events()
    assert [x["msg"] for x in got][:4] == ["fetch", "render", "publish", "read"]
    assert all(x["level"] == "audit" and x["time"] for x in got)
    fetch, read_ = got[0], got[3]
    assert fetch["secret"] == "sealed:db/password" and fetch["version"] == "1"
    assert read_["container"] == "app" and read_["secrets"] == "sealed:db/password@1"
    os.rename(path, path + ".1")  # as a program that rotates files
    a.process.send_signal(1)
    wait_until("a new file", lambda: os.path.exists(path))
    sealed.put("db/password", "canary-two")
    wait_until("new lines", lambda: any(x["msg"] == "publish" for x in events()))
    assert a.stop() == 0
    everything = a.output() + read(path) + read(path + ".1")
    assert "canary" not in everything and " audit " not in a.output()


def test_probes(folder, start):
    """startup and ready wait for what they ask; live is an answer at all."""
    sealed = Sealed(folder)
    sealed.put("a", "b")
    a = start(sealed.store() + template(f"{folder}/f", '{{ with secret "later" }}x{{ end }}'))
    wait_until("it is there", lambda: a.probe("live").returncode == 0)
    assert a.probe("live").returncode == 0
    for what in ("startup", "ready"):
        done = a.probe(what)
        assert done.returncode == 1 and done.stderr.startswith("ampoule-agent: no: ")
    done = run(AGENT, "--probe", "ready", "--wait", "--timeout", "300ms", "--socket", a.socket,
               check=False)
    assert done.returncode == 1 and "in time" in done.stderr
    sealed.put("later", "now")
    run(AGENT, "--probe", "startup", "--wait", "--timeout", "20s", "--socket", a.socket)
    for what in ("startup", "ready", "live"):
        assert a.probe(what).returncode == 0
    assert a.stop() == 0
    for what in ("startup", "ready", "live"):
        assert a.probe(what).returncode == 1
    assert run(AGENT, "--probe", "well", check=False).returncode == 2


@pytest.mark.parametrize("kind", ["vault", "sealed"])
def test_a_secret_that_is_older_than_its_owner_wants(bao, folder, start, kind):
    """rotate_every counts from the version's own time at the store, over restarts, too."""
    port, sealed = f"{folder}/metrics", Sealed(folder)
    bao.policy("age", ("kv/data/app", "read"))

    def put(value):
        if kind == "vault":
            bao.put("kv/data/app", {"data": {"password": value}})
        else:
            sealed.put("app", value)

    put("one")
    wanted = KV if kind == "vault" else '{{ with secret "app" }}{{ .Data.value }}{{ end }}'
    store = (token_file(folder, bao.https, bao.token(["age"]), bao.authority.cert)
             if kind == "vault" else sealed.store())
    config = (f'metrics_address = "unix://{port}"\n' + store + deliver(folder, "app") +
              template(f"{folder}/app/pw", wanted, owner="payments", rotate_every="1500ms"))
    a = start(config).started()
    a.event("publish", owner="payments")
    told = a.event("aged", owner="payments", file=f"{folder}/app/pw")
    assert told["secrets"].endswith("app@" + ("1" if kind == "sealed" else told["secrets"][-1]))
    assert a.file_status("pw")["aged"] and a.file_status("pw")["owner"] == "payments"
    assert sample(ask(port, "GET", "/metrics")[1], "files_aged") == 1
    assert a.stop() == 0
    b = start(config).started()
    assert b.event("aged")["age_s"] >= 1  # it is old from the begin
    put("two")
    b.process.send_signal(1)
    wait_until("the new one", lambda: read(f"{folder}/app/pw") == "two")
    b.event("aged")  # that one, too, in its turn
    assert len(b.events("aged")) == 2
