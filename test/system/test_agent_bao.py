# SPDX-License-Identifier: Apache-2.0
"""The whole agent against a real OpenBao: logins, KV v1 and v2, rotation that is read, token
renewal and loss, outages, removal. The store alone is in test_vault_store.py."""

import json
import os
import time

import pytest

import bao as bao_server
from agent_run import (Agent, App, deliver, memory_folder, read, remove_folder, template,
                       wait_until)
from process_memory import search

DB = '{{ with secret "kv/data/app" }}{{ .Data.data.password }}{{ end }}\n'


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

    def app(*args, **keys):
        running.append(App(*args, **keys))
        return running[-1]

    start.app = app
    yield start
    for r in running:
        r.close()


@pytest.fixture(name="app")
def _app(bao):
    """A KV v2 secret and the policy that reads it."""
    bao.kv2("kv")
    bao.delete("kv/metadata/app")  # versions begin at 1 in each test
    bao.put("kv/data/app", {"data": {"password": "first"}})
    bao.policy("app", ("kv/data/app", "read"))
    return lambda value: bao.put("kv/data/app", {"data": {"password": value}})


@pytest.fixture(name="token_review", scope="module")
def _token_review():
    review = bao_server.TokenReview()
    yield review
    review.close()


@pytest.fixture(name="own_bao")
def _own_bao(session_folder, authority):
    """A durable server that the test may stop and start."""
    with bao_server.Bao(session_folder / "own", durable=True, authority=authority) as server:
        yield server


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def vault(bao, method, address=None, config=None, interval="1s"):
    """The peer's own configuration language."""
    keys = "".join(f"      {k} = {json.dumps(v)}\n" for k, v in (config or {}).items())
    ca = f'  ca_cert = "{bao.authority.cert}"\n'
    return (f'vault {{\n  address = "{address or bao.https}"\n{ca}}}\n'
            f'auto_auth {{\n  method "{method}" {{\n    config = {{\n{keys}    }}\n  }}\n}}\n'
            f'template_config {{\n  static_secret_render_interval = "{interval}"\n}}\n')


def approle(bao, folder, **more):
    role, secret = bao.approle("app", ["app"], **more)
    return {"role_id_file_path": write(f"{folder}/role-id", role),
            "secret_id_file_path": write(f"{folder}/secret-id", secret)}


# --- logins -------------------------------------------------------------------------------

def test_approle(bao, app, folder, start):
    a = start(vault(bao, "approle", config=approle(bao, folder)) + deliver(folder, "app") +
              template(f"{folder}/app/db", DB), "--once")
    assert a.ended() == 0
    assert read(f"{folder}/app/db") == "first\n"
    assert not os.path.exists(f"{folder}/secret-id")  # removed after reading, as the peer
    assert a.events("login")[0]["method"] == "approle"


def test_jwt(bao, app, folder, issuer, start):
    bao.jwt(issuer, "app", ["app"])
    path = write(f"{folder}/jwt", issuer.token(sub="system:serviceaccount:ns:app", aud="ampoule"))
    a = start(vault(bao, "jwt", config={"path": path, "role": "app"}) + deliver(folder, "app") +
              template(f"{folder}/app/db", DB), "--once")
    assert a.ended() == 0
    assert read(f"{folder}/app/db") == "first\n"


def test_kubernetes(bao, app, folder, issuer, token_review, start):
    bao.kubernetes(token_review, "app", ["app"])
    token = issuer.account_token("ns", "app")
    token_review.known[token] = ("ns", "app", ["https://kubernetes.default.svc"])
    path = write(f"{folder}/token", token)
    a = start(vault(bao, "kubernetes", config={"role": "app", "token_path": path}) +
              deliver(folder, "app") + template(f"{folder}/app/db", DB), "--once")
    assert a.ended() == 0
    assert read(f"{folder}/app/db") == "first\n"


def token_file(bao, folder, **keys):
    return {"token_file_path": write(f"{folder}/token", bao.token(["app"], **keys))}


def test_token_file(bao, app, folder, start):
    a = start(vault(bao, "token_file", config=token_file(bao, folder)) + deliver(folder, "app") +
              template(f"{folder}/app/db", DB), "--once")
    assert a.ended() == 0
    assert read(f"{folder}/app/db") == "first\n"


def test_a_wrong_role_is_a_reason_within_the_deadline(bao, app, folder, issuer, start):
    bao.jwt(issuer, "app", ["app"])
    path = write(f"{folder}/jwt", issuer.token(sub="x", aud="ampoule"))
    a = start(vault(bao, "jwt", config={"path": path, "role": "no-such-role"}) +
              deliver(folder, "app") + template(f"{folder}/app/db", DB),
              "--once", "--timeout", "5s")
    assert a.ended() == 1
    assert "no-such-role" in a.output().splitlines()[-1]


# --- rotation -----------------------------------------------------------------------------

def test_kv2_rotation_is_signalled_and_read(bao, app, folder, start):
    pid = f"{folder}/pid"
    a = start(vault(bao, "approle", config=approle(bao, folder)) + deliver(folder, "app") +
              template(f"{folder}/app/db", DB, notify=[f"signal:HUP@pidfile={pid}"])).started()
    client = start.app(f"{folder}/app/db", pid_file=pid)
    client.says("has first")
    a.event("read", container="app", secrets="vault:kv/data/app@1")
    app("second")
    client.says("has second")
    a.event("read", container="app", secrets="vault:kv/data/app@2")


def test_kv1(bao, folder, start):
    bao.kv1("old")
    bao.put("old/app", {"password": "first"})
    bao.policy("old", ("old/app", "read"))
    role, secret = bao.approle("old", ["old"])
    config = {"role_id_file_path": write(f"{folder}/role-id", role),
              "secret_id_file_path": write(f"{folder}/secret-id", secret)}
    text = '{{ with secret "old/app" }}{{ .Data.password }}{{ end }}\n'
    start(vault(bao, "approle", config=config) + deliver(folder, "app") +
          template(f"{folder}/app/db", text)).started()
    assert read(f"{folder}/app/db") == "first\n"
    bao.put("old/app", {"password": "second"})
    wait_until("the new value", lambda: read(f"{folder}/app/db") == "second\n")


def test_one_fetch_for_ten_templates(bao, app, folder, start):
    a = start(vault(bao, "approle", config=approle(bao, folder), interval="5m") +
              deliver(folder, "app") +
              "".join(template(f"{folder}/app/f{i}", DB) for i in range(10))).started()
    assert all(read(f"{folder}/app/f{i}") == "first\n" for i in range(10))
    a.event("every file is in place")
    assert len(a.events("fetch")) == 1 and len(a.status()["secrets"]) == 1


def test_an_interval_of_its_own(bao, app, folder, start):
    start(vault(bao, "approle", config=approle(bao, folder), interval="1h") +
          deliver(folder, "app") + template(f"{folder}/app/slow", DB) +
          template(f"{folder}/app/quick", DB, interval="1s")).started()
    app("second")
    wait_until("the quick file", lambda: read(f"{folder}/app/quick") == "second\n")
    # The answer is shared: whoever asks often renews it for all.
    wait_until("the slow file", lambda: read(f"{folder}/app/slow") == "second\n")


# --- the credential's life ----------------------------------------------------------------

def test_token_is_renewed(bao, app, folder, start):
    a = start(vault(bao, "approle",
                    config=approle(bao, folder, token_ttl="6s", token_max_ttl="1h")) +
              deliver(folder, "app") + template(f"{folder}/app/db", DB)).started()
    for _ in range(2):
        a.event("renew", what="token")
    app("second")
    wait_until("the new value", lambda: read(f"{folder}/app/db") == "second\n")
    assert len(a.events("login")) == 1


def test_token_at_its_maximum_is_replaced_in_time(bao, app, folder, start):
    a = start(vault(bao, "approle", config={
        **approle(bao, folder, token_ttl="4s", token_max_ttl="7s")}) +
        deliver(folder, "app") + template(f"{folder}/app/db", DB)).started()
    a.event("login")
    a.event("login")
    app("second")
    wait_until("the new value", lambda: read(f"{folder}/app/db") == "second\n")
    assert not a.events("secret not fetched")


def test_revoked_token_is_healed(bao, app, folder, start):
    a = start(vault(bao, "approle", config=approle(bao, folder)) + deliver(folder, "app") +
              template(f"{folder}/app/db", DB)).started()
    assert bao.revoke_tokens("app") > 0
    app("second")
    a.event("token is no longer valid: logging in again")
    begin = time.monotonic()
    wait_until("the new value", lambda: read(f"{folder}/app/db") == "second\n")
    assert time.monotonic() - begin < 3


def test_denied_path_is_not_a_reason_to_log_in(bao, app, folder, start):
    bao.put("kv/data/other", {"data": {"password": "x"}})
    other = DB.replace("kv/data/app", "kv/data/other")
    a = start(vault(bao, "approle", config=approle(bao, folder)) + deliver(folder, "app") +
              template(f"{folder}/app/db", DB) + template(f"{folder}/app/other", other))
    wait_until("the good file", lambda: read(f"{folder}/app/db") == "first\n")
    got = a.event("secret not fetched")
    assert got["kind"] == "denied" and "kv/data/other" in got["error"]
    app("second")
    wait_until("the good file", lambda: read(f"{folder}/app/db") == "second\n")
    assert len(a.events("login")) == 1


MODES = """
restrict "pay" {
  mode       = "%s"
  deny_paths = ["kv/data/other"]
  deny_functions = ["toUpper"]
  max_ttl    = "1h"
}
"""


@pytest.mark.parametrize("mode", ["enforce", "warn", "audit"])
def test_a_policys_mode_counts_in_the_agent(bao, app, folder, start, tmp_path, mode):
    """A computed path, a function and a lifetime in a mounted file: refused, warned of, told."""
    bao.put("kv/data/other", {"data": {"password": "other"}})
    bao.policy("app", ("kv/data/app", "read"), ("kv/data/other", "read"))
    source = write(str(tmp_path / "x.tmpl"),
                   '{{ with secret (printf "kv/data/%s?ttl=2h" "other") }}'
                   '{{ .Data.data.password | toUpper }}{{ end }}\n')
    audits = str(tmp_path / "audit")
    a = start(vault(bao, "approle", config=approle(bao, folder)) + deliver(folder, "app") +
              template(f"{folder}/app/db", DB, interval="100ms") +
              f'template {{\n source = "{source}"\n destination = "{folder}/app/x"\n}}\n' +
              MODES % mode, "--audit-file", audits)
    wait_until("the good file", lambda: read(f"{folder}/app/db") == "first\n")

    def told():
        lines = [json.loads(line) for line in read(audits).splitlines()]
        return [l for l in lines if "policy" in (l["msg"], l.get("event"))]

    def warned():
        return [(e["policy"], e["rule"]) for e in a.events("a policy does not allow this")]
    if mode == "enforce":
        got = a.event("template not rendered")
        assert got["error"].endswith("policy 'pay' denies the path 'vault:kv/data/other?ttl=2h'")
        assert not os.path.exists(f"{folder}/app/x") and not told() and not warned()
        return
    wait_until("the file", lambda: read(f"{folder}/app/x") == "OTHER\n")
    rules = ["deny.paths", "limits.max_ttl", "deny.functions"]
    assert [t["rule"] for t in told()] == rules
    assert all(t["policy"] == "pay" and t["mode"] == mode and "policy 'pay'" in t["why"]
               for t in told())
    assert warned() == ([("pay", r) for r in rules] if mode == "warn" else [])
    write(source, read(source).replace("printf", "printf "))  # the same again says nothing new
    write(source, read(source).replace("}}\n", "}}!\n"))
    wait_until("the next file", lambda: read(f"{folder}/app/x") == "OTHER!\n")
    assert len(told()) == 3


# --- removal and outages ------------------------------------------------------------------

def test_deleted_version_removes_the_file(bao, app, folder, start):
    a = start(vault(bao, "approle", config=approle(bao, folder)) + deliver(folder, "app") +
              template(f"{folder}/app/db", DB, on_revoked="remove")).started()
    bao.delete("kv/data/app")
    a.event("gone")
    wait_until("the removal", lambda: read(f"{folder}/app/db") is None)
    bao.put("kv/undelete/app", {"versions": [1]})
    wait_until("the file", lambda: read(f"{folder}/app/db") == "first\n")


def test_a_policy_error_removes_nothing(bao, app, folder, start):
    a = start(vault(bao, "approle", config=approle(bao, folder)) + deliver(folder, "app") +
              template(f"{folder}/app/db", DB, on_revoked="remove")).started()
    bao.policy("app", ("kv/data/nothing", "read"))
    a.event("secret not fetched", kind="denied")
    assert read(f"{folder}/app/db") == "first\n"
    bao.policy("app", ("kv/data/app", "read"))
    app("second")
    wait_until("recovery", lambda: read(f"{folder}/app/db") == "second\n")


def test_sealed_store_keeps_files_and_recovers(bao, app, folder, start):
    a = start(vault(bao, "approle", config=approle(bao, folder)) + deliver(folder, "app") +
              template(f"{folder}/app/db", DB, on_revoked="remove")).started()
    bao.seal()
    got = a.event("store cannot be reached; files stay as they are")
    assert "sealed" in got["error"].lower()
    assert read(f"{folder}/app/db") == "first\n"
    bao.unseal()
    app("second")
    begin = time.monotonic()
    wait_until("recovery", lambda: read(f"{folder}/app/db") == "second\n")
    assert time.monotonic() - begin < 8


def test_store_that_comes_up_later(own_bao, folder, start):
    bao = own_bao
    bao.kv2("kv")
    bao.put("kv/data/app", {"data": {"password": "first"}})
    bao.policy("app", ("kv/data/app", "read"))
    config = vault(bao, "approle", address=bao.unix, config=approle(bao, folder))
    bao.stop()
    a = start(config + deliver(folder, "app") + template(f"{folder}/app/db", DB))
    a.event("login failed")
    assert a.probe("live").returncode == 0 and a.probe("startup").returncode == 1
    bao.start()
    wait_until("the file", lambda: read(f"{folder}/app/db") == "first\n")


# --- secrets ------------------------------------------------------------------------------

@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to read another process's memory")
def test_memory_holds_secret_and_token_in_the_arena_only(bao, app, folder, start):
    canary = "bao-canary-71c3aa"
    app(canary)
    token = token_file(bao, folder)
    a = start(vault(bao, "token_file", config=token, interval="5m") + deliver(folder, "app") +
              template(f"{folder}/app/db", DB)).started()
    assert read(f"{folder}/app/db") == canary + "\n"
    time.sleep(1)  # the idle second of the promise, not a wait for an event
    for needle in (canary, read(token["token_file_path"])):
        assert search(a.process.pid, needle.encode())[False] == []


def test_no_token_and_no_secret_in_any_output(bao, app, folder, start):
    canary = "bao-canary-22e90b"
    app(canary)
    config = token_file(bao, folder)
    token = read(config["token_file_path"])
    a = start(vault(bao, "token_file", config=config) + deliver(folder, "app") +
              template(f"{folder}/app/db", DB) +
              template(f"{folder}/app/none", DB.replace("kv/data/app", "kv/data/none")),
              "--log-level", "trace")
    wait_until("the file", lambda: read(f"{folder}/app/db") == canary + "\n")
    a.event("secret not fetched")
    status = json.dumps(a.status())
    assert a.stop() == 0
    for needle in (canary, token):
        assert needle not in status and needle not in a.output()
