# SPDX-License-Identifier: Apache-2.0
"""The vault store against answers that no real server can be made to give."""
import email.utils
import json
import pathlib
import time

import pytest

import vault
from store_run import Store, digest
from vault import Answer, errors, kv2, secret

CANARY = "canary-7f3a91c2d4"


@pytest.fixture(name="config")
def _config(tmp_path, fake):
    (tmp_path / "token").write_text("s.token")
    fake.login()
    return {"type": "vault", "address": fake.address, "timeout_ms": 5000,
            "auth": {"method": "token_file",
                     "config": {"token_file_path": str(tmp_path / "token")}}}


@pytest.fixture(name="store")
def _store(tmp_path, config):
    with Store(tmp_path, config) as s:
        s.good("login")
        yield s


def fails(fake, store, answer, kind, *says, cause=None):
    """The next read fails so, no byte of the answer is told, and the one after works."""
    fake.on("kv/data/app", answer, Answer(json=kv2({"a": "b"})))
    a = store.bad("get kv/app", kind, *says)
    assert CANARY not in a["error"] and "\n" not in a["error"]
    assert cause is None or a["cause"] == cause, a
    store.good("get kv/app")


@pytest.mark.parametrize("answer, kind, says, cause", [
    (Answer(body=f"<html>{CANARY}</html>".encode(), headers={"Content-Type": "text/html"}),
     "retry", "not one of Vault's", 200),
    (Answer(body=b""), "retry", "is empty", 200),
    (Answer(body=b"{"), "retry", "not one of Vault's", 200),
    (Answer(body=b"null"), "retry", "not one of Vault's", 200),
    (Answer(body=f'{{"data":{{"{CANARY}'.encode()), "retry", "not one of Vault's", 200),
    (Answer(body=b"[" * 5000), "retry", "deep", 200),
    (Answer(json=secret(None)), "missing", "holds no data", None),
    (Answer(json=secret([CANARY])), "retry", "'data' must be an object", 200),
    (Answer(json=secret(CANARY)), "retry", "'data' must be an object", 200),
    (Answer(json=secret({"a": CANARY})), "retry", "no KV version 2 secret", 200),
    (Answer(json=kv2(CANARY)), "missing", "holds no data", 404),
    (Answer(json=kv2(None, deletion_time=CANARY)), "missing", "was deleted ()", 410),
    (Answer(404, json=kv2(None, destroyed=True)), "missing", "was destroyed", 410),
    (Answer(404, body=f"<html>{CANARY}".encode()), "retry", "not by Vault", 404),
    (Answer(403, body=f"<html>{CANARY}".encode()), "retry", "not by Vault", 403),
    (Answer(400, body=b"Client sent an HTTP request to an HTTPS server."), "retry", "https", 400),
    (Answer(204), "missing", "holds no data", None),
    (Answer(400, json=errors(CANARY)), "denied", "refuses this request", 400),
    (Answer(403, json=errors(CANARY)), "denied", "capabilities", 403),
    (Answer(412), "retry", "caught up", 412),
    (Answer(472), "retry", "standby", 472),
    (Answer(473), "retry", "standby", 473),
    (Answer(500, json=errors(CANARY)), "retry", "failed inside", 500),
    (Answer(501), "retry", "not initialized", 501),
    (Answer(502, body=b"<html>bad gateway"), "retry", "behind the store", 502),
    (Answer(503, json=errors("Vault is sealed")), "retry", "sealed", 503),
    (Answer(503), "retry", "not available", 503),
    (Answer(raw=b"garbage\r\n\r\n"), "retry", "http://127.0.0.1", None),
    (Answer(json=kv2({"a": CANARY}), cut=20), "retry", "http://127.0.0.1", None),
    (Answer(json=kv2({"a": CANARY}), cut=0), "retry", "http://127.0.0.1", None),
])
def test_bad_answers(fake, store, answer, kind, says, cause):
    fails(fake, store, answer, kind, says, cause=cause)


def test_reset_connections(fake, store):
    fake.on("kv/data/app", Answer(reset=True), Answer(json=kv2({"a": "b"})))
    store.good("get kv/app")  # a kept connection may have ended: tried once more
    fake.on("kv/data/app", Answer(reset=True))
    store.bad("get kv/app", "retry", "http://127.0.0.1")


@pytest.mark.parametrize("duration, ms", [
    (0, 300000), (-1, 300000), (1, 1000), (2**31, 2**31 * 1000), (2**63 - 1, 3153600000 * 1000)])
def test_lease_ranges(fake, store, duration, ms):
    fake.on("db/creds/app", Answer(json=secret({"user": "u"}, lease_id="db/creds/app/1",
                                               lease_duration=duration, renewable=True)))
    a = store.good("get db/creds/app")
    assert (a["life"], a["lease_ms"], a["renewable"]) == ("lease", ms, True)


@pytest.mark.parametrize("duration", [1.5, "60", 2**63, [], {}, True])
def test_lease_that_is_no_number(fake, store, duration):
    fake.on("db/creds/app", Answer(json=secret({"user": CANARY}, lease_id="l",
                                               lease_duration=duration)))
    a = store.bad("get db/creds/app", "retry", "'lease_duration' must be a whole number")
    assert a["cause"] == 200


def test_renewable_without_a_lease(fake, store):
    fake.on("db/creds/app", Answer(json=secret({"user": "u"}, lease_duration=60,
                                               renewable=True)))
    assert store.good("get db/creds/app")["life"] == "static"


def test_static_role(fake, store):
    for ttl, ms in ((7, 6500), (1, 500), (0, 200), (-3, 200)):
        fake.on("db/static-creds/app", Answer(json=secret({
            "username": "u", "password": "p", "ttl": ttl, "rotation_period": 10,
            "last_vault_rotation": "2026-11-21T05:00:00Z"})))
        a = store.good("get db/static-creds/app")
        assert (a["life"], a["next_ms"], a["version"]) == ("until", ms, "2026-11-21T05:00:00Z")


def test_renewals(fake, store):
    fake.on("db/creds/app", Answer(json=secret({}, lease_id="db/creds/app/1", lease_duration=60,
                                               renewable=True)))
    store.good("get db/creds/app")
    fake.on("sys/leases/renew",
            Answer(json={"lease_id": "db/creds/app/1", "lease_duration": 30, "renewable": True}),
            Answer(400, json=errors("lease not found")),
            Answer(403, json=errors("1 error occurred:\n\t* permission denied\n\n")),
            Answer(500))
    a = store.good("renew")
    assert (a["lease_ms"], a["renewable"], a["lease_id"]) == (30000, True, "db/creds/app/1")
    assert fake.seen("sys/leases/renew")[0].json() == {"lease_id": "db/creds/app/1"}
    assert store.bad("renew", "missing", "the lease is gone")["cause"] == 410
    store.bad("renew", "denied", "sys/leases/renew")
    store.bad("renew", "retry")
    fake.on("sys/leases/revoke", Answer(204), Answer(500))
    store.good("revoke")
    store.bad("revoke", "retry")


# --- waiting ------------------------------------------------------------------------------


@pytest.mark.parametrize("value, low, high", [
    ("7", 7000, 7000), ("0", 0, 0), ("-5", 0, 0), ("soon", 0, 0), ("1000000000", 300000, 300000),
    ("date", 3000, 10000), ("past", 0, 0)])
def test_retry_after(fake, store, value, low, high):
    now = time.time()
    value = {"date": email.utils.formatdate(now + 10, usegmt=True),
             "past": email.utils.formatdate(now - 100, usegmt=True)}.get(value, value)
    fake.on("kv/data/app", Answer(429, headers={"Retry-After": value}))
    a = store.bad("get kv/app", "retry", "too many requests")
    assert low <= a["retry_ms"] <= high


def test_slow_answer(fake, store):
    fake.on("kv/data/app", Answer(json=kv2({"a": "b"}), drip=0.002))
    store.good("get kv/app")


def test_no_answer(tmp_path, fake, config):
    config["timeout_ms"] = 300
    fake.on("kv/data/app", Answer(hang=True))
    fake.on("kv/data/other", Answer(json=kv2({"a": "b"})))
    with Store(tmp_path, config) as s:
        s.good("login")
        begin = time.monotonic()
        answers = s.ask("get kv/app kv/other")  # the one does not hold up the other
        assert answers["kv/app"]["kind"] == "retry" and answers["kv/other"]["ok"]
        assert 0.2 < time.monotonic() - begin < 4


def test_close_while_something_is_under_way(tmp_path, fake, config):
    fake.on("kv/data/app", Answer(hang=True))
    fake.on("sys/internal/ui/mounts/kv1/*", Answer(hang=True))
    with Store(tmp_path, config) as s:
        s.good("login")
        s.say("get kv/app kv/app kv1/a kv1/b")  # two hang; one waits for another's question
        fake.wait(4)


def test_too_long(fake, store):
    fails(fake, store, Answer(json=kv2({"a": CANARY + "x" * (9 << 20)})), "limit")


# --- elsewhere ----------------------------------------------------------------------------


def test_redirect_to_another_origin(fake, store):
    with vault.FakeVault() as other:
        other.on("kv/data/app", Answer(json=kv2({"a": CANARY})))
        fake.on("kv/data/app",
                Answer(307, headers={"Location": f"{other.address}/v1/kv/data/app"}))
        store.bad("get kv/app", "config")
        assert other.count() == 0
        fake.on("kv/data/app", Answer(307, headers={"Location": "https://localhost:1/"}))
        store.bad("get kv/app", "config")


def test_redirect_to_the_same_origin(fake, store):
    fake.on("kv/data/app", Answer(307, headers={"Location": f"{fake.address}/v1/kv/data/new"}))
    fake.on("kv/data/new", Answer(json=kv2({"a": "b"})))
    assert store.good("get kv/app")["version"] == "1"
    assert fake.seen("kv/data/new")[0].headers["x-vault-token"] == "s.token"
    fake.on("kv/data/app", Answer(307, headers={"Location": f"{fake.address}/v1/kv/data/app"}))
    store.bad("get kv/app", "config")  # in a circle


# --- mounts -------------------------------------------------------------------------------


def test_one_question_for_all(fake, store):
    fake.on("kv/data/*", Answer(json=kv2({"a": "b"})))
    fake.on("sys/internal/ui/mounts/kv/*", Answer(delay=0.1, json=secret({
        "path": "kv/", "type": "kv", "options": {"version": "2"}})))
    store.ask("get " + " ".join(f"kv/{i}" for i in range(50)))
    asked = [r for r in fake.seen() if r.path.startswith("sys/internal")]
    assert len(asked) == 1
    store.ask("get kv/1 kv/2")
    assert len([r for r in fake.seen() if r.path.startswith("sys/internal")]) == 1


def test_the_question_fails_for_all(fake, store):
    fake.on("sys/internal/ui/mounts/kv/*", Answer(500, delay=0.1), Answer(json=secret({
        "path": "kv/", "type": "kv", "options": {"version": "2"}})))
    answers = store.ask("get kv/a kv/b kv/c")
    assert {a["kind"] for a in answers.values()} == {"retry"}
    assert fake.count() == 2  # the look-up of the token and one question
    fake.on("kv/data/a", Answer(json=kv2({"a": "b"})))
    store.good("get kv/a")


@pytest.mark.parametrize("status", [400, 403, 404, 405])
def test_a_store_that_does_not_say(fake, store, status):
    fake.on("sys/internal/ui/mounts/kv/*", Answer(status, json=errors("no")))
    fake.on("kv/data/app", Answer(json=kv2({"a": "b"})))
    fake.on("kv/data/gone", Answer(404, json=kv2(None, destroyed=True)))
    assert store.good("get kv/data/app")["version"] == "1"  # as it is written
    assert store.bad("get kv/data/gone", "missing")["cause"] == 410
    fake.on("kv/plain", Answer(json=secret({"a": "b"})))
    assert store.good("get kv/plain")["data"] == digest({"a": "b"})


@pytest.mark.parametrize("data", [None, {}, {"path": 5}, {"path": "../"}, {"path": "other/"},
                                  {"path": "kv/", "options": {"version": "9"}}])
def test_strange_mounts(fake, store, data):
    fake.on("sys/internal/ui/mounts/kv/*", Answer(json=secret(data)))
    fake.on("kv/app", Answer(json=secret({"a": "b"})))
    a = store.ask("get kv/app")
    assert a["ok"] or (a["kind"] == "retry" and a["cause"] == 200)


# --- logins -------------------------------------------------------------------------------


def jwt_config(tmp_path, fake, token="eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln"):
    (tmp_path / "jwt").write_text(token)
    return {"type": "vault", "address": fake.address, "timeout_ms": 3000,
            "auth": {"method": "jwt", "config": {"role": "web", "path": str(tmp_path / "jwt")}}}


@pytest.mark.parametrize("auth", [
    None, [], {}, {"client_token": ""}, {"client_token": 5}, {"client_token": "a b"},
    {"client_token": "a\r\nX-Injected: 1"}, {"client_token": "a", "lease_duration": "1h"},
    {"client_token": "a" * 70000}])
def test_bad_tokens(tmp_path, fake, auth):
    fake.on("auth/jwt/login", Answer(json=secret(None, auth=auth)))
    with Store(tmp_path, jwt_config(tmp_path, fake)) as s:
        a = s.bad("login", "retry")
        assert not a["has_token"] and "Injected" not in a["error"]
        assert (tmp_path / "jwt").exists()


def test_what_was_sent_does_not_come_back(tmp_path, fake):
    c = jwt_config(tmp_path, fake)
    jwt = (tmp_path / "jwt").read_text()
    fake.on("auth/jwt/login", Answer(400, json=errors(f"cannot use {jwt}")),
            Answer(400, json=errors("cannot use c2ln " + jwt[5:20])),
            Answer(400, json=errors("hvs.CAESIJQ0123456789 is bad")))
    with Store(tmp_path, c) as s:
        for _ in range(3):
            a = s.bad("login", "auth")
            assert "says" not in a["error"]


def test_requests_are_what_the_server_wants(tmp_path, fake):
    fake.login()
    fake.on("auth/jwt/login", Answer(json=secret(None, auth={
        "client_token": "t.1", "lease_duration": 60, "renewable": True})))
    fake.on("kv/data/app", Answer(json=kv2({"a": "b"})))
    c = jwt_config(tmp_path, fake)
    c["namespace"] = "team"
    c["auth"]["namespace"] = "login-team"
    with Store(tmp_path, c) as s:
        s.good("login")
        s.good("get kv/app?version=1")
    login, mount, read = fake.seen()
    assert (login.method, login.path) == ("PUT", "auth/jwt/login")
    assert login.json()["role"] == "web" and "x-vault-token" not in login.headers
    assert login.headers["x-vault-namespace"] == "login-team"
    assert all(r.headers["x-vault-request"] == "true" for r in (login, mount, read))
    assert mount.path == "sys/internal/ui/mounts/kv/app"
    assert (read.method, read.path) == ("GET", "kv/data/app?version=1")
    assert read.headers["x-vault-token"] == "t.1"
    assert read.headers["x-vault-namespace"] == "team"
    assert json.dumps(read.headers).count("s.token") == 0


def test_kept_connection(fake, store):
    fake.on("kv/data/app", Answer(json=kv2({"a": "b"})))
    for _ in range(10):
        store.good("get kv/app")
    assert len({r.connection for r in fake.seen()}) == 1


def test_no_secret_is_left_in_the_output(tmp_path, fake):
    fake.login()
    fake.on("kv/data/app", Answer(json=kv2({"a": CANARY})))
    (tmp_path / "token").write_text("s.token")
    c = {"type": "vault", "address": fake.address,
         "auth": {"method": "token_file",
                  "config": {"token_file_path": str(tmp_path / "token")}}}
    with Store(tmp_path, c) as s:
        assert CANARY not in str([s.good("login"), s.good("get kv/app")])
    assert CANARY not in pathlib.Path(tmp_path / "store.err").read_text()
