# SPDX-License-Identifier: Apache-2.0
"""What outlives the agent: token, leases and secrets in the sealed state, against a real
OpenBao with PostgreSQL. A restart, and the sidecar behind an init container, cost one login
and one credential; both are counted at the store."""
import http.server
import os
import shutil
import signal
import threading
import urllib.error
import urllib.request

import pytest

import postgres
from machine import free_port
from agent_run import Agent, Sealed, memory_folder, read, remove_folder, template, wait_until

needs_pg = pytest.mark.skipif(not postgres.binaries(), reason="no PostgreSQL on this machine")

CREDS = ('{{ with secret "database/creds/app" }}{{ .Data.username }}:{{ .Data.password }}'
         '{{ end }}\n')
DB = '{{ with secret "kv/data/app" }}{{ .Data.data.password }}{{ end }}\n'


@pytest.fixture(name="pg", scope="module")
def _pg():
    with postgres.Postgres() as server:
        yield server


@pytest.fixture(name="folder")
def _folder():
    path = memory_folder()
    yield path
    remove_folder(path)


@pytest.fixture(name="pod")
def _pod(bao, pg, folder, issuer):
    p = Pod(bao, pg, folder, issuer)
    yield p
    p.close()


class Pod:
    """A pod's agents, one after the other, with a database credential and a KV secret."""

    def __init__(self, bao, pg, folder, issuer):
        self.bao, self.pg, self.folder, self.agents = bao, pg, folder, []
        pg.connect(bao)
        pg.role(bao, "app", "1h")
        bao.put("kv/data/app", {"data": {"password": "first"}})
        bao.policy("state", ("database/creds/app", "read"), ("kv/data/app", "read"))
        bao.jwt(issuer, "state", ["state"])
        for lease in self.leases():
            bao.put("sys/leases/revoke", {"lease_id": lease})
        bao.revoke_tokens("state")
        with open(f"{folder}/jwt", "w", encoding="ascii") as f:
            f.write(issuer.token(sub="system:serviceaccount:ns:app", aud="ampoule"))

    def config(self, state=True, templates=None, extra="", role="state", address=None):
        f = self.folder
        return (f'vault {{\n  address = "{address or self.bao.https}"\n'
                f'  ca_cert = "{self.bao.authority.cert}"\n}}\n'
                'auto_auth {\n  method "jwt" {\n    config = {\n'
                f'      path = "{f}/jwt"\n      role = "{role}"\n'
                '      remove_jwt_after_reading = false\n    }\n  }\n}\n'
                f'deliver "app" {{\n folder = "{f}/app"\n mount = "{f}/app"\n}}\n'
                + (f'state {{\n path = "{f}/state"\n}}\n' if state else "") + extra
                + (templates or template(f"{f}/app/creds", CREDS)
                   + template(f"{f}/app/db", DB)))

    def start(self, *args, **keys):
        a = Agent(self.folder, self.config(**keys), *args, name=f"agent{len(self.agents)}")
        self.agents.append(a)
        return a

    def close(self):
        for a in self.agents:
            a.close()

    # --- what is at the store
    def leases(self):
        try:
            keys = self.bao.api("LIST", "sys/leases/lookup/database/creds/app")["data"]["keys"]
        except Exception:  # noqa: BLE001  nothing there is a 404
            return []
        return [f"database/creds/app/{k}" for k in keys]

    def users(self):
        return self.pg.sql("select rolname from pg_roles where rolname like 'v-%'").split()

    def tokens(self):
        return self.bao.tokens("state")

    # --- what the application sees
    def file(self, name="creds"):
        return read(f"{self.folder}/app/{name}")

    def inode(self, name="creds"):
        return os.stat(f"{self.folder}/app/{name}").st_ino


class Gate:
    """A proxy in front of the store that holds back the answers of one path."""

    def __init__(self, bao, path):
        self.held, self.open = threading.Event(), threading.Event()
        self.seen = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.seen.append(self.path.removeprefix("/v1/"))
                r = urllib.request.Request(bao.http + self.path, method=self.command,
                                           data=body or None)
                for name in ("X-Vault-Token", "X-Vault-Namespace", "Content-Type"):
                    if self.headers.get(name):
                        r.add_header(name, self.headers[name])
                try:
                    with urllib.request.urlopen(r, timeout=60) as got:
                        status, text = got.status, got.read()
                except urllib.error.HTTPError as e:
                    status, text = e.code, e.read()
                if self.path == f"/v1/{path}" and not outer.open.is_set():
                    outer.held.set()
                    outer.open.wait(60)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_PUT = do_POST = pass_on  # noqa: N815

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.open.set()
        self.server.shutdown()
        self.server.server_close()


def logins(agent):
    return len(agent.events("login"))


def mints(agent):
    return len([x for x in agent.events("fetch") if x["secret"].endswith("creds/app")])


# --- a restart ----------------------------------------------------------------------------

@needs_pg
@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_restart_costs_no_login_and_no_credential(pod, how):
    a = pod.start().started()
    before, inode = pod.file(), pod.inode()
    if how == "kill":
        a.close()
    else:
        assert a.stop() == 0
    b = pod.start().started()
    b.event("renew", secret="vault:database/creds/app")
    assert (pod.file(), pod.inode()) == (before, inode)
    assert logins(b) == 0 and mints(b) == 0
    assert len(pod.users()) == 1 and len(pod.tokens()) == 1
    b.event("renew", what="token") if not b.events("renew") else None
    # the successor goes on as if nothing had been
    pod.bao.put("kv/data/app", {"data": {"password": "second"}})
    b.process.send_signal(1)
    wait_until("the new value", lambda: pod.file("db") == "second\n")


class Reloads:
    """An application that is told by HTTP, and counts."""

    def __init__(self, port):
        self.count, outer = 0, self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802
                outer.count += 1
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@needs_pg
def test_what_was_published_before_a_kill_is_told_after_it(pod):
    port = free_port()
    told = template(f"{pod.folder}/app/db", DB, notify=f"http:{port}/-/reload")
    a = pod.start(templates=told).started()
    pod.bao.put("kv/data/app", {"data": {"password": "second"}})
    a.process.send_signal(signal.SIGHUP)
    wait_until("the new value", lambda: pod.file("db") == "second\n")
    a.close()  # nobody has been told: nothing listens yet
    app = Reloads(port)
    try:
        b = pod.start(templates=told).started()
        wait_until("the application is told", lambda: app.count == 1)
        b.event("signal")
        assert b.stop() == 0
        c = pod.start(templates=told).started()
        assert c.stop() == 0
        assert app.count == 1, "told again although nothing has changed"
    finally:
        app.close()


@needs_pg
def test_init_and_sidecar_share_one_login_and_one_credential(pod):
    init = pod.start("--once")
    assert init.ended() == 0
    before, inode = pod.file(), pod.inode()
    side = pod.start().started()
    side.event("renew", secret="vault:database/creds/app")
    assert (pod.file(), pod.inode()) == (before, inode)
    assert logins(init) == 1 and logins(side) == 0 and mints(init) == 1 and mints(side) == 0
    assert len(pod.users()) == 1 and len(pod.tokens()) == 1
    user, password = before.strip().split(":")
    assert pod.pg.can_log_in(user, password)


@needs_pg
def test_an_empty_volume_is_filled_from_the_state(pod):
    pod.start().started()
    before = pod.file()
    pod.agents[-1].close()
    shutil.rmtree(f"{pod.folder}/app")
    b = pod.start().started()
    assert pod.file() == before and pod.file("db") == "first\n"
    assert logins(b) == 0 and len(pod.users()) == 1


# --- a start that fails -------------------------------------------------------------------

BAD = "{{ with secret \"kv/data/none\" }}{{ .Data.data.x }}{{ end }}"


def nothing_is_left(pod):
    wait_until("the revocation", lambda: not pod.users() and not pod.tokens())


@needs_pg
@pytest.mark.parametrize("state", [True, False])
def test_a_start_that_fails_leaves_nothing_in_the_store(pod, state):
    more = template(f"{pod.folder}/app/creds", CREDS) + template(f"{pod.folder}/app/x", BAD)
    a = pod.start("--once", "--timeout", "5s", state=state, templates=more)
    assert a.ended() == 1
    assert mints(a) == 1 and "kv/data/none" in a.output().splitlines()[-1]
    nothing_is_left(pod)
    assert not os.path.exists(f"{pod.folder}/state/state")


@needs_pg
def test_a_start_that_is_broken_off_leaves_nothing_in_the_store(pod):
    more = template(f"{pod.folder}/app/creds", CREDS) + template(f"{pod.folder}/app/x", BAD)
    a = pod.start("--once", templates=more)
    a.event("fetch")
    assert a.stop() == 0
    nothing_is_left(pod)


@needs_pg
def test_a_template_that_fails_leaves_nothing_in_the_store(pod):
    wrong = CREDS.replace(".Data.username", "index .Data.username 9999")
    a = pod.start("--once", "--timeout", "5s",
                  templates=template(f"{pod.folder}/app/creds", wrong))
    assert a.ended() == 1
    nothing_is_left(pod)


@needs_pg
@pytest.mark.parametrize("when", ["login", "fetch"])
def test_what_comes_after_the_signal_is_given_back(pod, when):
    """SIGTERM while the store is making a token or a credential."""
    path = "auth/jwt/login" if when == "login" else "database/creds/app"
    with Gate(pod.bao, path) as gate:
        a = pod.start("--once", address=gate.address)
        gate.held.wait(60)
        a.process.send_signal(signal.SIGTERM)
        a.event("asked to end")
        gate.open.set()
        assert a.ended() == 0
    nothing_is_left(pod)


@needs_pg
def test_init_hands_over_and_revokes_nothing(pod):
    assert pod.start("--once").ended() == 0
    assert len(pod.users()) == 1 and len(pod.tokens()) == 1
    user, password = pod.file().strip().split(":")
    assert pod.pg.can_log_in(user, password)


# --- SIGHUP with another configuration ----------------------------------------------------

def reload(pod, agent, **keys):
    with open(agent.config, "w", encoding="utf-8") as f:
        f.write(f'status_socket = "{agent.socket}"\n' + pod.config(**keys))
    agent.process.send_signal(signal.SIGHUP)


def both(pod, *more):
    return (template(f"{pod.folder}/app/creds", CREDS) + template(f"{pod.folder}/app/db", DB)
            + "".join(more))


@needs_pg
@pytest.mark.parametrize("state", [True, False])
def test_a_changed_configuration_keeps_token_and_credentials(pod, state):
    a = pod.start(state=state).started()
    before, inode = pod.file(), pod.inode()
    reload(pod, a, state=state, templates=both(pod, template(f"{pod.folder}/app/more", DB)))
    a.event("asked to reload", configuration="changed")
    wait_until("the new file", lambda: pod.file("more") == "first\n")
    assert (pod.file(), pod.inode()) == (before, inode)
    assert logins(a) == 1 and mints(a) == 1
    assert len(pod.users()) == 1 and len(pod.tokens()) == 1
    pod.bao.put("kv/data/app", {"data": {"password": "second"}})
    a.process.send_signal(signal.SIGHUP)
    wait_until("the new value", lambda: pod.file("more") == "second\n")


@needs_pg
def test_the_lease_of_a_removed_template_is_revoked(pod):
    pod.bao.policy("state", ("database/creds/app", "read"), ("kv/data/app", "read"),
                   ("sys/leases/revoke", "update"))
    a = pod.start().started()
    assert len(pod.users()) == 1
    reload(pod, a, templates=template(f"{pod.folder}/app/db", DB))
    a.event("revoke")
    wait_until("the revocation", lambda: not pod.users())
    assert pod.file("db") == "first\n" and logins(a) == 1
    wait_until("the removal", lambda: pod.file("creds") is None)


@needs_pg
def test_another_login_gives_the_old_one_back(pod, issuer):
    a = pod.start().started()
    before = pod.file()
    pod.bao.jwt(issuer, "state2", ["state"])
    reload(pod, a, role="state2")
    a.event("login")
    a.event("login")
    wait_until("the new credential", lambda: pod.file() not in (None, before))
    wait_until("the revocation", lambda: len(pod.users()) == 1 and len(pod.tokens()) == 1)


@needs_pg
@pytest.mark.parametrize("wrong", ["key", "template", "destination"])
def test_an_invalid_configuration_is_refused_and_the_old_one_goes_on(pod, wrong):
    a = pod.start().started()
    before = pod.file()
    if wrong == "key":
        reload(pod, a, templates=template(f"{pod.folder}/app/db", DB, no_such_key="1"))
    elif wrong == "template":
        reload(pod, a, templates=template(f"{pod.folder}/app/db", "{{ with }}"))
    else:
        reload(pod, a, templates=template("/elsewhere/db", DB))
    a.event("new configuration refused; the old one stays")
    pod.bao.put("kv/data/app", {"data": {"password": "second"}})
    reload(pod, a)  # as it was
    a.event("asked to reload", configuration="unchanged")
    wait_until("the new value", lambda: pod.file("db") == "second\n")
    assert pod.file() == before and logins(a) == 1 and mints(a) == 1


@needs_pg
def test_many_reloads_leak_nothing(pod):
    a = pod.start().started()
    before = pod.file()

    def turn(n):
        reload(pod, a, templates=both(pod, template(f"{pod.folder}/app/n{n}", DB)))
        a.event("asked to reload", configuration="changed")
        wait_until("the new file", lambda: pod.file(f"n{n}") == "first\n")

    def fds():
        return len(os.listdir(f"/proc/{a.process.pid}/fd"))

    def memory():
        return a.status()["memory"]["in_use"]

    for n in range(5):
        turn(n)
    wait_until("idle connections close", lambda: fds() < 12)
    at_first = fds(), memory()
    for n in range(5, 40):
        turn(n)
    wait_until("idle connections close", lambda: fds() <= at_first[0])
    wait_until("no more memory than before", lambda: memory() < at_first[1] + 16 * 1024)
    for _ in range(20):
        a.process.send_signal(signal.SIGHUP)
    assert pod.file() == before and logins(a) == 1 and mints(a) == 1
    assert len(pod.users()) == 1 and len(pod.tokens()) == 1
    assert a.stop() == 0


# --- high-water marks ---------------------------------------------------------------------

def test_an_older_sealed_file_is_refused_after_a_restart_too(folder):
    sealed = Sealed(folder)
    sealed.put("db/password", "first")
    shutil.copy(sealed.file, f"{folder}/older")
    sealed.put("db/password", "second")
    config = (f'store "s" {{\n type = "sealed"\n file = "{sealed.file}"\n'
              f' key_file = "{sealed.key}"\n}}\nstate {{\n path = "{folder}/state"\n}}\n'
              + template(f"{folder}/out", '{{ with secret "db/password" }}'
                         '{{ range $k, $v := .Data }}{{ $v }}{{ end }}{{ end }}'))
    a = Agent(folder, config).started()
    shown = read(f"{folder}/out")
    assert a.stop() == 0
    shutil.copy(f"{folder}/older", sealed.file)
    b = Agent(folder, config, name="second")
    try:
        assert "older file" in b.event("secret not fetched")["error"]
        assert read(f"{folder}/out") == shown
    finally:
        b.close()
