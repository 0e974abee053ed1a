# SPDX-License-Identifier: Apache-2.0
"""The whole agent against answers that no real store can be made to give. Whatever the fault:
the file stays as it is, the log and the status say why, requests stay few, no byte of the
answer is told, and when the store is well again the file follows."""

import json
import os
import re
import time

import pytest

import vault
from agent_run import Agent, deliver, memory_folder, read, remove_folder, template, wait_until
from vault import Answer, errors, kv2, secret

CANARY = "canary-5d0be9a1c7"
DB = '{{ with secret "kv/data/app" }}{{ .Data.data.password }}{{ end }}'
LEASED = '{{ with secret "db/creds/app" }}{{ .Data.password }}{{ end }}'


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


def config(fake, folder, text=DB, method="token_file", interval="1s", **keys):
    """A token from a file; the store answers each second."""
    keys = keys or {"token_file_path": f"{folder}/token"}
    if not os.path.exists(f"{folder}/token"):
        with open(f"{folder}/token", "w", encoding="ascii") as f:
            f.write("s.token")
    lines = "".join(f"   {k} = {json.dumps(v)}\n" for k, v in keys.items())
    return (f'store "vault" {{\n type = "vault"\n address = "{fake.address}"\n timeout = "2s"\n'
            f' auth "{method}" {{\n  config = {{\n{lines}  }}\n }}\n}}\n'
            f'template_config {{\n static_secret_render_interval = "{interval}"\n}}\n'
            + deliver(folder, "app") + template(f"{folder}/app/db", text, on_revoked="keep"))


def good(word="first"):
    return Answer(json=kv2({"password": word}, version=2 if word != "first" else 1))


# name: (answer, what the reason says)
FAULTS = {
    "HTML with 200": (Answer(body=f"<html>{CANARY}</html>".encode()), "not one of Vault's"),
    "empty": (Answer(body=b""), "is empty"),
    "wrong JSON": (Answer(body=f'{{"data": {CANARY}'.encode()), "not one of Vault's"),
    "cut": (Answer(json=kv2({"password": CANARY}), cut=25), "http://127.0.0.1"),
    "garbage": (Answer(raw=CANARY.encode() + b"\r\n\r\n"), "http://127.0.0.1"),
    "deep": (Answer(body=b"[" * 100000), "deep"),
    "long": (Answer(json=kv2({"password": CANARY + "x" * (9 << 20)})), "longer than"),
    "reset": (Answer(reset=True), "http://127.0.0.1"),
    "hanging": (Answer(hang=True), "http://127.0.0.1"),
    "data null": (Answer(json=secret(None)), "holds no data"),
    "data a list": (Answer(json=secret([CANARY])), "'data' must be an object"),
    "KV 1 shape": (Answer(json=secret({"password": CANARY})), "no KV version 2"),
    "wrapped": (Answer(json={"wrap_info": {"token": CANARY, "ttl": 60}, "data": None,
                             "auth": None}), "KV version 2"),
    "204": (Answer(204), "holds no data"),
    "301 to itself": (Answer(301, headers={"Location": "/v1/kv/data/app"}), "redirects"),
    "307 to itself": (Answer(307, headers={"Location": "/v1/kv/data/app"}), "redirects"),
    "307 elsewhere": (Answer(307, headers={"Location": "https://localhost:1/"}), "redirects"),
    "400": (Answer(400, json=errors(CANARY)), "refuses this request"),
    "403": (Answer(403, json=errors("1 error occurred:\n\t* permission denied\n\n")), "policy"),
    "403 of a proxy": (Answer(403, body=f"<html>{CANARY}".encode()), "not by Vault"),
    "404": (Answer(404, json=errors()), "there is no"),
    "404 of a proxy": (Answer(404, body=f"<html>{CANARY}".encode()), "not by Vault"),
    "412": (Answer(412), "caught up"),
    "429": (Answer(429), "too many requests"),
    "472": (Answer(472), "standby"),
    "473": (Answer(473), "standby"),
    "500": (Answer(500, json=errors(CANARY)), "failed inside"),
    "501": (Answer(501), "not initialized"),
    "502": (Answer(502, body=b"<html>"), "behind the store"),
    "503 sealed": (Answer(503, json=errors("Vault is sealed")), "sealed"),
    "503": (Answer(503), "not available"),
}


def told(a, says):
    """The first failure's reason, in the log and in the status."""
    line = json.loads(a.lines.wait(lambda x: x.startswith("{") and json.loads(x)["msg"] in (
        "secret not fetched", "store cannot be reached; files stay as they are")))
    assert says in line["error"] and "\n" not in line["error"], line
    wait_until("the status", lambda: says in json.dumps(a.status()))


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_and_its_end(fake, folder, start, name):
    answer, says = FAULTS[name]
    fake.login()
    fake.on("kv/data/app", good())
    a = start(config(fake, folder)).started()
    assert read(f"{folder}/app/db") == "first"
    fake.on("kv/data/app", answer)
    told(a, says)
    before, begin = fake.count(), time.monotonic()
    wait_until("a second try", lambda: fake.count() > before)
    assert read(f"{folder}/app/db") == "first"
    assert a.probe("ready").returncode == 0 and a.probe("live").returncode == 0
    fake.on("kv/data/app", good("second"))
    wait_until("the new value", lambda: read(f"{folder}/app/db") == "second", 40)
    # Redirects are up to four requests a try.
    assert fake.count() - before <= 4 * (4 + (time.monotonic() - begin) / 2)
    assert CANARY not in a.output() and CANARY not in json.dumps(a.status())
    assert len(a.events("login")) == 1


def test_a_minute_of_every_fault():
    """All faults at once, each with an agent and a store of its own: after the first minute
    at most ten requests in the next."""
    stores, agents, folders = {}, {}, {}
    try:
        for name in FAULTS:
            stores[name] = vault.FakeVault().__enter__()
            stores[name].login()
            stores[name].on("kv/data/app", good())
            folders[name] = memory_folder()
            agents[name] = Agent(folders[name], config(stores[name], folders[name]))
        for name, a in agents.items():
            a.started(60)
            stores[name].on("kv/data/app", FAULTS[name][0])
        time.sleep(60)  # the minute of the promise, not a wait for an event
        before = {name: stores[name].count() for name in FAULTS}
        time.sleep(60)
        # A request that is sent on to the same place counts once.
        share = {name: 4 if "itself" in name else 1 for name in FAULTS}
        many = {name: n for name in FAULTS
                if (n := (stores[name].count() - before[name]) / share[name]) > 10}
        assert not many, many
        kept = {name: read(f"{folders[name]}/app/db") for name in FAULTS}
        assert set(kept.values()) == {"first"}, kept
        for name, a in agents.items():
            assert a.stop() == 0, name
            assert CANARY not in a.output(), name
    finally:
        for a in agents.values():
            a.close()
        for name in stores:
            stores[name].__exit__()
            remove_folder(folders.get(name, "/nonexistent"))


@pytest.mark.parametrize("value", ["7", "1000000000", "date"])
def test_retry_after(fake, folder, start, value):
    """Obeyed, up to five minutes; one request and no more until then."""
    fake.login()
    fake.on("kv/data/app", good())
    a = start(config(fake, folder)).started()
    if value == "date":
        value = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 9))
    since = time.monotonic()
    fake.on("kv/data/app", Answer(429, headers={"Retry-After": value}))

    def asked():
        return [r.at for r in fake.seen() if r.at > since]
    told(a, "too many requests")
    if value == "1000000000":
        time.sleep(4)  # nothing may happen: there is no event to wait for
        assert len(asked()) == 1
        return
    fake.on("kv/data/app", good("second"))
    wait_until("the new value", lambda: read(f"{folder}/app/db") == "second")
    refused, again = asked()[:2]
    assert again - refused > 5  # a part of the nine seconds may have passed


def test_slow_bytes(fake, folder, start):
    """One that trickles holds up no other."""
    other = DB.replace("kv/data/app", "kv/data/other").replace("password", "other")
    fake.login()
    fake.on("kv/data/app", Answer(json=kv2({"password": "first"}), drip=1))
    fake.on("kv/data/other", Answer(json=kv2({"other": "quick"})))
    a = start(config(fake, folder) + template(f"{folder}/app/other", other))
    wait_until("the other file", lambda: read(f"{folder}/app/other") == "quick")
    told(a, "http://127.0.0.1")
    fake.on("kv/data/app", good())
    wait_until("the file", lambda: read(f"{folder}/app/db") == "first")


# --- leases -------------------------------------------------------------------------------


def leased(duration, **more):
    return Answer(json=secret({"password": "word"}, lease_id="db/creds/app/1",
                              lease_duration=duration, **{"renewable": True, **more}))


@pytest.mark.parametrize("duration, few", [(0, 0), (-1, 0), (2**31, 0), (2**63 - 1, 0), (1, 2)])
def test_strange_leases_are_kept(fake, folder, start, duration, few):
    """Each is held; none is a reason to ask in a circle: `few` times a second at most."""
    fake.login()
    fake.on("db/creds/app", leased(duration))
    fake.on("sys/leases/renew", Answer(json={
        "lease_id": "db/creds/app/1", "lease_duration": duration, "renewable": True}))
    begin = time.monotonic()
    a = start(config(fake, folder, LEASED)).started()
    assert read(f"{folder}/app/db") == "word"
    time.sleep(4)  # nothing may happen: there is no event to wait for
    asked = fake.count("db/creds/app") + fake.count("sys/leases/renew")
    assert asked <= 1 + few * (time.monotonic() - begin)
    assert not a.events("secret not fetched")


@pytest.mark.parametrize("duration", [1.5, "60", 2**63])
def test_leases_that_are_no_numbers(fake, folder, start, duration):
    """Refused, and asked for again at the pace of a fault: each answer may be a credential."""
    fake.login()
    fake.on("db/creds/app", leased(duration))
    a = start(config(fake, folder, LEASED))
    told(a, "'lease_duration' must be a whole number")
    fake.on("db/creds/app", leased(60))
    wait_until("the file", lambda: read(f"{folder}/app/db") == "word")
    assert fake.count("db/creds/app") <= 12


def test_renewable_without_a_lease(fake, folder, start):
    fake.login()
    fake.on("db/creds/app", Answer(json=secret({"password": "word"}, lease_duration=1,
                                               renewable=True)))
    a = start(config(fake, folder, LEASED, interval="5m")).started()
    time.sleep(3)  # nothing may happen: there is no event to wait for
    assert fake.count("db/creds/app") == 1 and fake.count("sys/leases/renew") == 0
    assert not a.events("secret not fetched")


def test_warnings_do_no_harm(fake, folder, start):
    fake.login()
    fake.on("kv/data/app", Answer(json={**kv2({"password": "first"}),
                                        "warnings": [CANARY, "Endpoint ignored this"]}))
    a = start(config(fake, folder), "--log-level", "trace").started()
    assert read(f"{folder}/app/db") == "first" and CANARY not in a.output()


# --- redirects ----------------------------------------------------------------------------


def test_a_standby_sends_us_to_a_named_node(fake, folder, start):
    """With the token, and only there."""
    with vault.FakeVault() as active, vault.FakeVault() as foreign:
        for node in (active, foreign):
            node.login()
            node.on("kv/data/app", good())
        fake.login()
        fake.on("kv/data/app", Answer(307, headers={
            "Location": f"{active.address}/v1/kv/data/app"}))
        text = config(fake, folder).replace(
            ' timeout = "2s"', f' timeout = "2s"\n redirect_to = ["{active.address}"]')
        a = start(text).started()
        assert read(f"{folder}/app/db") == "first"
        assert active.seen("kv/data/app")[0].headers["x-vault-token"] == "s.token"
        fake.on("kv/data/app", Answer(307, headers={
            "Location": f"{foreign.address}/v1/kv/data/app"}))
        told(a, f"redirects to {foreign.address}")
        assert foreign.count() == 0 and read(f"{folder}/app/db") == "first"


def test_no_redirect_without_permission(fake, folder, start):
    with vault.FakeVault() as foreign:
        foreign.on("kv/data/app", good(CANARY))
        fake.login()
        fake.on("kv/data/app", Answer(307, headers={
            "Location": f"{foreign.address}/v1/kv/data/app"}))
        a = start(config(fake, folder))
        told(a, "redirect_to")
        assert foreign.count() == 0 and read(f"{folder}/app/db") is None


# --- logins -------------------------------------------------------------------------------

LOGIN_FAULTS = {
    "HTML": (Answer(body=f"<html>{CANARY}".encode()), "not one of Vault's"),
    "no auth": (Answer(json=secret(None)), "holds no token"),
    "no token": (Answer(json=secret(None, auth={"lease_duration": 60})), "token"),
    "400": (Answer(400, json=errors("invalid role name \"web\"")), "no such role"),
    "403": (Answer(403, json=errors("permission denied")), "refused"),
    "404": (Answer(404, json=errors()), "no auth method"),
    "429": (Answer(429, headers={"Retry-After": "2"}), "too many requests"),
    "500": (Answer(500, json=errors(CANARY)), "failed inside"),
    "503": (Answer(503, json=errors("Vault is sealed")), "sealed"),
    "hang": (Answer(hang=True), "http://127.0.0.1"),
    "elsewhere": (Answer(307, headers={"Location": "https://localhost:1/"}), "redirects"),
}


@pytest.mark.parametrize("name", LOGIN_FAULTS)
def test_logins_that_fail(fake, folder, start, name):
    answer, says = LOGIN_FAULTS[name]
    jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0." + CANARY
    with open(f"{folder}/jwt", "w", encoding="ascii") as f:
        f.write(jwt)
    fake.login()
    fake.on("kv/data/app", good())
    fake.on("auth/jwt/login", answer)
    a = start(config(fake, folder, method="jwt", role="web", path=f"{folder}/jwt"))
    got = a.event("login failed")
    assert says in got["error"] and "\n" not in got["error"], got
    assert says in json.dumps(a.status())
    assert os.path.exists(f"{folder}/jwt")  # not used: it stays
    fake.on("auth/jwt/login", Answer(json=secret(None, auth={
        "client_token": "s.good", "lease_duration": 3600, "renewable": True})))
    wait_until("the file", lambda: read(f"{folder}/app/db") == "first")
    assert fake.count("auth/jwt/login") <= 6 and CANARY not in a.output()


FILES = {
    "missing": lambda p: None,
    "empty": lambda p: open(p, "w", encoding="ascii").close(),
    "a folder": os.mkdir,
    "two lines": lambda p: open(p, "w", encoding="ascii").write("s.one\ns.two\n"),
    "a megabyte": lambda p: open(p, "w", encoding="ascii").write("x" * (1 << 20)),
    "not text": lambda p: open(p, "wb").write(b"\x00\xff\xfe"),
    "a device": lambda p: os.symlink("/dev/zero", p),
}


@pytest.mark.parametrize("name", FILES)
def test_token_files_that_are_none(fake, folder, start, name):
    """Nothing is sent; the good file that follows is used at once."""
    path = f"{folder}/token2"
    FILES[name](path)
    fake.login()
    fake.on("kv/data/app", good())
    a = start(config(fake, folder, token_file_path=path).replace(
        'auth "token_file" {\n', 'auth "token_file" {\n  min_backoff = "2m"\n'))
    got = a.event("login failed")
    assert path in got["error"] or "token" in got["error"], got
    assert fake.count() == 0
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    with open(f"{path}.new", "w", encoding="ascii") as f:
        f.write("s.token\n")
    os.rename(f"{path}.new", path)
    wait_until("the file", lambda: read(f"{folder}/app/db") == "first")
    assert not re.search(r"s\.(one|two|token)", a.output())
