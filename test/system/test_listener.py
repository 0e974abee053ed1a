# SPDX-License-Identifier: Apache-2.0
"""The agent's listeners: metrics, quit, cache-clear and the API proxy, on the real OpenBao and
beside the real `bao agent` with the same stanzas."""
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading

import pytest

import bao as bao_server
import machine
import postgres
from agent_run import (AGENT, TOOL, Agent, Sealed, deliver, memory_folder, read,
                       remove_folder, run, template, wait_until)
from machine import LIMIT_S, free_port
from vault import Answer, secret

STATIC = "/static/" in AGENT or "musl" in AGENT


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


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=LIMIT_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(LIMIT_S)
        self.sock.connect(self.path)


def ask(where, method, path, body=None, **headers):
    conn = (UnixConnection(where) if isinstance(where, str)
            else http.client.HTTPConnection("127.0.0.1", where, timeout=LIMIT_S))
    with contextlib.closing(conn):
        conn.request(method, path, json.dumps(body) if isinstance(body, dict) else body,
                     {k.replace("_", "-"): v for k, v in headers.items()})
        answer = conn.getresponse()
        return answer.status, answer.read(), dict(answer.headers)


def listener(port, *more):
    text = "\n".join(more)
    return f'listener "tcp" {{\n address = "127.0.0.1:{port}"\n tls_disable = true\n{text}\n}}\n'


def token_file(folder, address, token, ca=None):
    path = f"{folder}/token"
    with open(path, "w", encoding="ascii") as f:
        f.write(token)
    ca = f' ca_cert = "{ca}"\n' if ca else ""
    return (f'vault {{\n address = "{address}"\n{ca}}}\n'
            f'auto_auth {{\n method "token_file" {{\n  config = {{\n'
            f'   token_file_path = "{path}"\n  }}\n }}\n}}\n')


def sample(text, name, **labels):
    """The value of one sample of the exposition."""
    want = ",".join(f'{k}="{v}"' for k, v in labels.items())
    for line in text.decode().splitlines():
        if re.match(rf"ampoule_{name}(\{{{re.escape(want)}\}})? ", line) and want in line:
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(f"no {name}{labels} in {text.decode()}")


# --- metrics

def test_metrics_tell_what_happens(folder, start):
    sealed = Sealed(folder)
    sealed.put("db/password", "hunter2-secret")
    os.mkdir(f"{folder}/app")
    socket_path = f"{folder}/metrics.sock"
    agent = start(f'metrics_address = "unix://{socket_path}"\n' + sealed.store() +
                  deliver(folder, "app") +
                  template(f"{folder}/app/pw", '{{ with secret "db/password" }}'
                           '{{ .Data.value }}{{ end }}')).started()
    status, text, headers = ask(socket_path, "GET", "/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert sample(text, "ready") == 1 and sample(text, "store_up", store="sealed") == 1
    assert sample(text, "secrets", state="held") == 1
    assert sample(text, "files", state="published") == 1
    assert sample(text, "fetches_total", store="sealed", outcome="ok") >= 1
    assert sample(text, "files_read", container="app") == 0
    assert sample(text, "memory_bytes", kind="in_use") > 0
    assert 100e3 < sample(text, "resident_memory_bytes") < 100e6
    renders = sample(text, "events_total", event="render")
    assert read(f"{folder}/app/pw")
    agent.event("read", container="app")
    sealed.put("db/password", "hunter3-secret")
    agent.event("publish", container="app")
    text = ask(socket_path, "GET", "/agent/v1/metrics")[1]
    assert sample(text, "events_total", event="render") == renders + 1
    assert sample(text, "events_total", event="read") == 1
    assert sample(text, "last_success_time_seconds", event="publish") > 1.7e9
    assert b"hunter" not in text and b"db/password" not in text
    assert ask(socket_path, "POST", "/agent/v1/quit")[0] == 404
    # Every name of the exposition is a row of the table, and the other way round.
    rows = set(re.findall(r"`(ampoule_\w+)`", run(TOOL, "options", "--metrics").stdout))
    assert rows == set(re.findall(r"^# TYPE (\w+) ", text.decode(), re.M))
    for line in text.decode().splitlines():
        assert re.fullmatch(r'#.*|ampoule_\w+(\{(\w+="[^"]*",?)+\})? [-0-9.e+]+', line), line
    assert os.stat(socket_path).st_mode & 0o777 == 0o600
    agent.stop()
    assert not os.path.exists(socket_path)


def test_metrics_only_role_and_tcp(folder, start):
    sealed, port = Sealed(folder), free_port()
    sealed.put("a", "b")
    agent = start(sealed.store() + template(f"{folder}/f", "x") +
                  listener(port, 'role = "metrics_only"', "agent_api { enable_quit = true }"))
    agent.started()
    assert ask(port, "GET", "/agent/v1/metrics")[0] == 200
    assert ask(port, "POST", "/agent/v1/quit")[0] == 404
    assert ask(port, "GET", "/v1/sys/health")[0] == 404


# --- quit

@pytest.mark.parametrize("enabled", [True, False])
def test_quit(folder, start, enabled):
    sealed, port = Sealed(folder), free_port()
    sealed.put("a", "b")
    agent = start(sealed.store() + template(f"{folder}/f", "x") +
                  listener(port, f"agent_api {{ enable_quit = {str(enabled).lower()} }}"))
    agent.started()
    assert ask(port, "GET", "/agent/v1/quit")[0] == 405
    status, body, _ = ask(port, "POST", "/agent/v1/quit")
    assert status == (200 if enabled else 404)
    if enabled:
        assert body == b"" and agent.ended() == 0
        assert agent.events("quit")
    else:
        assert agent.stop() == 0


def test_listeners_that_cannot_be(folder):
    sealed, port = Sealed(folder), free_port()
    sealed.put("a", "b")
    taken = socket.create_server(("127.0.0.1", 0))
    cases = [
        (listener(taken.getsockname()[1]), "Address (already )?in use"),
        (listener(port, 'role = "x"'), "role must be default or metrics_only"),
        (f'listener "tcp" {{\n address = "127.0.0.1:{port}"\n}}\n', "tls_disable"),
        ('listener "tcp" {\n address = "vault.example:1"\n tls_disable = true\n}\n',
         "the host must be an IP address"),
        (listener(port) + "cache {\n use_auto_auth_token = \"maybe\"\n}\n", "use_auto_auth_token must be"),
    ]
    for text, want in cases:
        path = f"{folder}/bad.hcl"
        with open(path, "w", encoding="utf-8") as f:
            f.write(sealed.store() + template(f"{folder}/f", "x") + text)
        done = run(AGENT, "--config", path, check=False)
        assert done.returncode == 1 and re.search(want, done.stderr), (want, done.stderr)
    taken.close()


@pytest.mark.skipif(STATIC, reason="the release's agent serves no TLS; see the test above")
def test_a_tls_listener(folder, start, authority):
    import ssl  # noqa: PLC0415
    sealed, port = Sealed(folder), free_port()
    sealed.put("a", "b")
    cert, key = authority.issue("listener", "DNS:localhost,IP:127.0.0.1")
    agent = start(sealed.store() + template(f"{folder}/f", "x") +
                  f'listener "tcp" {{\n address = "127.0.0.1:{port}"\n'
                  f' tls_cert_file = "{cert}"\n tls_key_file = "{key}"\n}}\n').started()
    context = ssl.create_default_context(cafile=authority.cert)
    conn = http.client.HTTPSConnection("localhost", port, context=context, timeout=LIMIT_S)
    conn.request("GET", "/agent/v1/metrics")
    assert conn.getresponse().status == 200
    conn.close()
    agent.stop()


def test_a_new_configuration_moves_the_listeners(folder, start):
    sealed, first, second = Sealed(folder), free_port(), free_port()
    sealed.put("a", "b")
    text = sealed.store() + template(f"{folder}/f", "x")
    agent = start(text + listener(first)).started()
    assert ask(first, "GET", "/agent/v1/metrics")[0] == 200
    with open(agent.config, "w", encoding="utf-8") as f:
        f.write(f'status_socket = "{agent.socket}"\n' + text + listener(second))
    agent.process.send_signal(signal.SIGHUP)
    wait_until("the new listener", lambda: listening(second))
    assert sample(ask(second, "GET", "/agent/v1/metrics")[1], "reloads_total") == 1
    assert not listening(first)
    assert agent.stop() == 0


# --- the proxy, ours and the peer's

@pytest.fixture(name="app")
def _app(bao):
    bao.kv2("kv")
    bao.put("kv/data/app", {"data": {"password": "first"}})
    bao.policy("app", ("kv/data/app", "read"), ("kv/data/new", "create", "update", "read"))
    return bao.token(["app"])


@contextlib.contextmanager
def peer(folder, config):
    path = f"{folder}/peer.hcl"
    with open(path, "w", encoding="utf-8") as f:
        f.write(config)
    process = machine.start([bao_server.binary(), "agent", f"-config={path}"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def ours(folder, config):
    agent = Agent(folder, config)
    try:
        yield agent
    finally:
        agent.close()


def listening(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


REQUESTS = [
    ("GET", "/v1/sys/health", None, {}),
    ("GET", "/v1/kv/data/app", None, {}),
    ("GET", "/v1/kv/data/app", None, {"X_Vault_Token": "none-such"}),
    ("GET", "/v1/kv/data/app?version=1", None, {"X_Vault_Request": "true"}),
    ("GET", "/v1/kv/data/none", None, {}),
    ("PUT", "/v1/kv/data/new", {"data": {"a": "b"}}, {}),
    ("POST", "/v1/kv/data/new", "{broken", {}),
    ("LIST", "/v1/kv/metadata", None, {}),
    ("GET", "/v1/auth/token/lookup-self", None, {}),
    ("PUT", "/v1/sys/wrapping/wrap", {"x": "y"}, {"X_Vault_Wrap_TTL": "60s"}),
    ("GET", "/nowhere", None, {}),
    ("GET", "/agent/v1/metrics", None, {}),
    ("POST", "/agent/v1/quit", None, {}),
]

# What differs from request to request, or names the process that answered.
VOLATILE = {"request_id", "created_time", "server_time_utc", "ttl", "token", "accessor",
            "creation_time", "version", "updated_time", "expire_time", "last_renewal",
            "last_renewal_time"}


def plain(value):
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in VOLATILE and v is not None}
    return value


def seen(port, requests=REQUESTS):
    out = []
    for method, path, body, headers in requests:
        status, text, _ = ask(port, method, path, body, **headers)
        try:
            shown = plain(json.loads(text))
        except ValueError:
            shown = None if "metrics" in path else text.decode()
        if "metrics" in path or status in (404, 405) and path.startswith(("/nowhere", "/agent")):
            shown = None
        out.append((method, path, status, shown))
    return out


@pytest.mark.parametrize("use", ["true", "false", '"force"'])
@pytest.mark.parametrize("header", [False, True])
def test_the_proxy_answers_as_the_peers(bao, app, folder, use, header):
    stanza = f"api_proxy {{\n use_auto_auth_token = {use}\n}}\n"
    results = []
    for run_one in (ours, peer):
        port = free_port()
        sink = f' sink "file" {{\n  config = {{\n   path = "{folder}/sink"\n  }}\n }}\n}}\n'
        config = (token_file(folder, bao.https, app, bao.authority.cert).removesuffix("}\n") +
                  sink + stanza +
                  listener(port, f"require_request_header = {str(header).lower()}"))
        with run_one(folder, config) as process:
            wait_until("the listener", lambda p=port: listening(p))
            if use != "false":
                wait_until("a token", lambda p=port: ask(
                    p, "GET", "/v1/auth/token/lookup-self", X_Vault_Request="true")[0] == 200)
            results.append(seen(port))
            del process
    assert results[0] == results[1]


@pytest.mark.skipif(not postgres.binaries(), reason="no PostgreSQL on this machine")
def test_a_lease_is_kept_and_cleared(bao, folder):
    """One database user, however often it is asked for, until the cache is cleared or the
    lease revoked; by the peer too."""
    def creds(port, **headers):
        status, text, got = ask(port, "GET", "/v1/database/creds/app", **headers)
        assert status == 200, text
        return json.loads(text)["lease_id"], got.get("X-Cache")

    def clear(port, **order):
        return ask(port, "POST", "/agent/v1/cache-clear", order)[0]

    with postgres.Postgres() as pg:
        pg.connect(bao)
        pg.role(bao, "app", "1h")
        bao.policy("db", ("database/creds/app", "read"), ("sys/leases/revoke", "update"))
        for run_one in (ours, peer):
            port, token = free_port(), bao.token(["db"])
            config = (token_file(folder, bao.https, token, bao.authority.cert) +
                      "cache {\n use_auto_auth_token = true\n}\n" + listener(port))
            with run_one(folder, config):
                wait_until("the listener", lambda p=port: listening(p))
                wait_until("a token", lambda p=port: ask(
                    p, "GET", "/v1/auth/token/lookup-self")[0] == 200)
                first, how = creds(port)
                assert how == "MISS"
                assert creds(port) == (first, "HIT")
                assert clear(port, type="request_path", value="/v1/database/creds/app") == 200
                if run_one is peer:  # forgets a moment after it has answered
                    wait_until("the peer has forgotten", lambda p=port, old=first: creds(p)[0] != old)
                second, how = creds(port)
                assert second != first and (how == "MISS" or run_one is peer)
                assert clear(port, type="all") == 200
                if run_one is peer:
                    wait_until("the peer has forgotten", lambda p=port, old=second: creds(p)[0] != old)
                third, _ = creds(port)
                assert third not in (first, second)
                if run_one is ours:  # the peer keeps nothing any more after "all"
                    assert creds(port) == (third, "HIT")
                assert ask(port, "PUT", "/v1/sys/leases/revoke", {"lease_id": third})[0] == 204
                wait_until("the revoked one is forgotten",
                           lambda p=port, old=third: creds(p)[0] != old)
                assert clear(port, type="other") == 400


def caching(fake, folder, start):
    """The port of an agent that keeps leases and has its token."""
    port = free_port()
    agent = start(token_file(folder, fake.address, "t") +
                  "cache {\n use_auto_auth_token = true\n}\n" + listener(port))
    wait_until("the listener", lambda: listening(port))
    agent.event("login")
    return port


def slow_lease(delay):
    return Answer(json=secret({"username": "u"}, lease_id="db/creds/app/1",
                              lease_duration=3600, renewable=True), delay=delay)


def test_the_same_asked_at_once_makes_one_credential(fake, folder, start):
    fake.login()
    fake.on("db/creds/app", slow_lease(0.3))
    port = caching(fake, folder, start)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(
        ask(port, "GET", "/v1/db/creds/app"))) for _ in range(10)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert {a[0] for a in answers} == {200} and len({a[1] for a in answers}) == 1
    assert fake.count("db/creds/app") == 1
    assert fake.seen("db/creds/app")[0].headers["x-vault-token"] == "t"


def test_a_client_that_leaves_does_not_lose_the_credential(fake, folder, start):
    """A credential that the store is making is kept for the next who asks."""
    fake.login()
    fake.on("db/creds/app", slow_lease(0.5))
    port = caching(fake, folder, start)
    with socket.create_connection(("127.0.0.1", port), LIMIT_S) as gone:
        gone.sendall(b"GET /v1/db/creds/app HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until("the request at the store", lambda: fake.count("db/creds/app") == 1)
    wait_until("the kept one", lambda: ask(
        port, "GET", "/v1/db/creds/app")[2]["X-Cache"] == "HIT")
    assert fake.count("db/creds/app") == 1


def test_a_kept_lease_is_renewed(fake, folder, start):
    fake.login()
    lease = {"lease_id": "db/creds/app/1", "lease_duration": 2, "renewable": True}
    fake.on("db/creds/app", Answer(json=secret({"username": "u"}, **lease)))
    fake.on("sys/leases/renew", Answer(json=secret(None, **lease)),
            Answer(json=secret(None, **lease)), Answer(400, json={"errors": ["no"]}))
    port = caching(fake, folder, start)
    assert ask(port, "GET", "/v1/db/creds/app")[2]["X-Cache"] == "MISS"
    wait_until("two renewals", lambda: fake.count("sys/leases/renew") >= 2)
    assert ask(port, "GET", "/v1/db/creds/app")[2]["X-Cache"] == "HIT"
    assert fake.seen("sys/leases/renew")[0].json()["lease_id"] == "db/creds/app/1"
    wait_until("the refused one", lambda: fake.count("sys/leases/renew") >= 3)
    wait_until("a new one", lambda: ask(
        port, "GET", "/v1/db/creds/app")[2]["X-Cache"] == "MISS")


def test_a_store_that_is_away(fake, folder, start):
    fake.login()
    fake.on("kv/data/app", Answer(reset=True))
    fake.on("kv/data/huge", Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"))
    port = free_port()
    agent = start(token_file(folder, fake.address, "t") +
                  "api_proxy {\n use_auto_auth_token = true\n}\n" + listener(port))
    wait_until("the listener", lambda: listening(port))
    for path in ("app", "huge"):
        status, text, _ = ask(port, "GET", f"/v1/kv/data/{path}")
        assert status == 502 and json.loads(text)["errors"][0]
    text = ask(port, "GET", "/agent/v1/metrics")[1]
    assert sample(text, "proxy_requests_total", outcome="error") == 2
    agent.event("error", op="proxy")
    assert agent.stop() == 0


def restricted(fake, folder, start, mode):
    """An agent and its proxy's port, under a policy about kv/data/pay."""
    fake.login()
    fake.on("kv/data/pay/db", Answer(json=secret({"a": "b"})))
    port = free_port()
    agent = start(token_file(folder, fake.address, "t") +
                  f'restrict "no-pay" {{\n {mode} deny_paths = ["kv/data/pay/**"]\n}}\n'
                  "api_proxy {\n use_auto_auth_token = true\n}\n" + listener(port))
    wait_until("the listener", lambda: listening(port))
    agent.event("login")  # its token is there
    return agent, port


def test_policies_hold_for_the_proxy(fake, folder, start):
    fake.on("kv/data/app", Answer(json=secret({"a": "b"})))
    agent, port = restricted(fake, folder, start, "")
    for path in ("kv/data/pay/db", "kv/data/p%61y/db", "kv/data/x/../pay/db"):
        status, text, _ = ask(port, "GET", f"/v1/{path}")
        assert status == 403 and "policy 'no-pay'" in json.loads(text)["errors"][0]
    assert ask(port, "GET", "/v1/kv/data/app")[0] == 200
    assert fake.count("kv/data/pay/db") == 0
    agent.event("error", op="proxy")


def test_policies_that_do_not_enforce_let_the_proxy_pass(fake, folder, start):
    agent, port = restricted(fake, folder, start, 'mode = "audit"\n')
    assert ask(port, "GET", "/v1/kv/data/pay/db")[0] == 200
    assert ask(port, "GET", "/v1/kv/data/pay/db", X_Vault_Namespace="team")[0] == 200
    got = agent.event("policy", rule="deny.paths")
    assert got["policy"] == "no-pay" and got["mode"] == "audit" and got["template"] == "listener"
    assert "X-Vault-Namespace" in agent.event("policy", rule="paths")["why"]
    assert sample(ask(port, "GET", "/agent/v1/metrics")[1], "events_total", event="policy") == 2


def test_headers_of_the_connection_stay_here(fake, folder, start):
    fake.login()
    fake.on("kv/data/app", Answer(json=secret({"a": "b"}), headers={"X-Vault-Index": "7"}))
    port = free_port()
    agent = start(token_file(folder, fake.address, "ours") +
          "api_proxy {\n use_auto_auth_token = \"force\"\n}\n" + listener(port))
    wait_until("the listener", lambda: listening(port))
    agent.event("login")  # its token is there
    _, _, got = ask(port, "POST", "/v1/kv/data/app", "x=y", X_Vault_Token="theirs",
                    Authorization="Bearer theirs", X_Other="kept", Accept_Encoding="gzip",
                    Proxy_Authorization="Basic x", X_Vault_Namespace="team")
    asked = fake.seen("kv/data/app")[0].headers
    assert asked["x-vault-token"] == "ours" and "authorization" not in asked
    assert asked["x-other"] == "kept" and asked["x-vault-namespace"] == "team"
    assert "accept-encoding" not in asked and "proxy-authorization" not in asked
    assert got["X-Vault-Index"] == "7"
    ask(port, "GET", "/v1/auth/token/lookup/s.canary")
    shown = agent.event("proxy", path="/v1/auth/token/lookup")
    assert shown["store"] == "vault" and shown["status"] == 404
    ask(port, "GET", "/v1/team/auth/token/lookup/s.canary")
    ask(port, "GET", "/v1/team/auth/t%6fken/lookup/s.canary")
    agent.event("proxy", path="/v1/team/auth/token/lookup")
    agent.event("proxy", path="/v1/team/auth/t")
    assert "canary" not in agent.output() and "ours" not in agent.output()
