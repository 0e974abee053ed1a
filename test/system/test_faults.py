# SPDX-License-Identifier: Apache-2.0
"""What the agent does while its store fails, and after: against a real OpenBao behind a proxy
that refuses, hangs or answers in its place, and a real PostgreSQL. Recovery is asserted by
events and counted requests; how fast it is, test/bench/agent.sh measures."""
import datetime
import time

import pytest

import bao as bao_server
import postgres
from agent_run import Agent, memory_folder, read, remove_folder, template, wait_until
from store_proxy import HANG, Rule, StoreProxy

KV = '{{ with secret "kv/data/f0" }}{{ .Data.data.v }}{{ end }}\n'
DB = '{{ with secret "database/creds/%s" }}{{ .Data.username }} {{ .Data.password }}{{ end }}\n'
DOWN, UP = "store cannot be reached; files stay as they are", "store answers again"
needs_pg = pytest.mark.skipif(not postgres.binaries(), reason="no PostgreSQL on this machine")


@pytest.fixture(name="pg", scope="module")
def _pg():
    with postgres.Postgres() as server:
        yield server


@pytest.fixture(name="own_bao")
def _own_bao(tmp_path, authority):
    with bao_server.Bao(tmp_path / "own", durable=True, authority=authority) as server:
        yield server


class Site:
    """A store, a proxy before it, and one agent behind that."""

    def __init__(self, bao, folder):
        self.bao, self.folder, self.agent = bao, folder, None
        self.proxy = StoreProxy(lambda: bao.port, bao.cert, bao.key).__enter__()
        bao.kv2("kv")
        bao.policy("faults", ("kv/data/*", "read"), ("database/*", "read"))
        for i in range(10):
            self.put("first", i)
        self.login()

    def login(self, **token):
        role, secret = self.bao.approle("faults", ["faults"], secret_id_num_uses=0, **token)
        for name, value in (("role", role), ("secret", secret)):
            with open(f"{self.folder}/{name}", "w", encoding="ascii") as f:
                f.write(value)

    def put(self, value, i=0):
        self.bao.put(f"kv/data/f{i}", {"data": {"v": value}})

    def start(self, *templates):
        keys = (f'role_id_file_path = "{self.folder}/role"\n'
                f' secret_id_file_path = "{self.folder}/secret"\n'
                ' remove_secret_id_file_after_reading = false\n')
        config = (f'vault {{\n address = "{self.proxy.address}"\n'
                  f' ca_cert = "{self.bao.authority.cert}"\n}}\n'
                  f'auto_auth {{\n method "approle" {{\n config = {{\n {keys} }}\n }}\n}}\n'
                  'template_config {\n static_secret_render_interval = "1s"\n}\n')
        parts = [t if t.startswith("template") else self.template(t, i) for i, t in enumerate(templates)]
        self.agent = Agent(self.folder, config + "".join(parts))
        return self.agent

    def template(self, text, i, **keys):
        return template(f"{self.folder}/out-{i}", text, **keys)

    def read(self, i=0):
        return read(f"{self.folder}/out-{i}")

    def current(self, value, i=0):
        wait_until(f"{value} in the file", lambda: self.read(i) == value + "\n")

    def close(self):
        if self.agent:
            self.agent.close()
        self.proxy.__exit__(None, None, None)


@pytest.fixture(name="site")
def _site(bao):
    folder = memory_folder()
    site = Site(bao, folder)
    yield site
    site.close()
    remove_folder(folder)


@pytest.fixture(name="db_site")
def _db_site(site, pg):
    pg.connect(site.bao)
    site.pg = pg
    return site


def minted(site):
    return sum(r.status == 200 for r in site.proxy.seen(path="database/creds/"))


# --- no store ------------------------------------------------------------------------------


def test_store_down_at_start(site):
    site.proxy.refuse()
    a = site.start(KV)
    for _ in range(4):
        a.event("login failed")
    site.proxy.accept()
    site.current("first")


def test_outage_keeps_the_file_and_ends_with_the_first_answer(site):
    others = [KV.replace("f0", f"f{i}") for i in range(1, 10)]
    a = site.start(KV, *others).started()
    site.proxy.refuse()
    a.event(DOWN)
    time.sleep(4)  # the fault's length, not a wait for an event
    assert all(site.read(i) == "first\n" for i in range(10))
    assert a.probe("ready").returncode == 0
    site.put("second")
    begin = time.monotonic()
    site.proxy.accept()
    a.event(UP)
    site.current("second")
    wait_until("ten requests", lambda: len(site.proxy.seen(since=begin)) >= 10)
    assert len(a.events(DOWN)) == 1 and len(a.events("login")) == 1
    # One probe, then each secret once; then polling goes on.
    first = [r.path for r in site.proxy.seen(since=begin)][:10]
    assert len(set(first)) == 10


@needs_pg
def test_killed_store_does_not_cost_the_credential(own_bao, pg):
    folder = memory_folder()
    site = Site(own_bao, folder)
    try:
        pg.connect(own_bao)
        pg.role(own_bao, "kept", "30s")
        a = site.start(KV, DB % "kept").started()
        before = site.read(1)
        site.proxy.refuse()
        own_bao.stop(kill=True)
        a.event(DOWN)
        own_bao.start()
        site.put("second")
        site.proxy.accept()
        site.current("second")
        a.event("renew", secret="vault:database/creds/kept")  # the lease goes on
        assert site.read(1) == before and minted(site) == 1
        assert pg.can_log_in(*before.split())
    finally:
        site.close()
        remove_folder(folder)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_store_that_answers_with_an_error(site, status):
    a = site.start(*[KV.replace("f0", f"f{i}") for i in range(10)]).started()
    site.proxy.rule = lambda r: status
    wait_until("the error", lambda: site.proxy.count() and site.proxy.requests[-1].status == status)
    begin = time.monotonic()
    time.sleep(5)  # the fault's length
    during = site.proxy.count(since=begin)
    site.put("second")
    site.proxy.rule = None
    site.current("second")
    assert during <= 22  # each once, then one at a time
    assert len(a.events("login")) == 1


def test_retry_after_is_obeyed(site):
    a = site.start(KV).started()
    site.proxy.rule = lambda r: Rule(status=429, headers={"Retry-After": "4"})
    a.event(DOWN)
    site.proxy.rule = None
    a.event(UP)
    asked = site.proxy.seen()
    refused = next(i for i, r in enumerate(asked) if r.status == 429)
    assert asked[refused + 1].at - asked[refused].at > 3.5


def test_answers_that_never_come(site):
    a = site.start(KV).started()
    site.proxy.rule = lambda r: HANG
    site.put("second")
    a.event(DOWN, limit=30)  # long before the timeout of a minute
    site.proxy.rule = None
    site.current("second")


def test_slow_answers(site):
    texts = [KV.replace("f0", f"f{i}") for i in range(10)]
    site.proxy.rule = lambda r: Rule(delay=0.7)
    a = site.start(*texts).started()
    assert all(site.read(i) == "first\n" for i in range(10))
    assert not a.events(DOWN)


# --- one path ------------------------------------------------------------------------------


def test_one_path_that_fails_delays_no_other(site):
    site.proxy.rule = lambda r: 503 if r.path == "kv/data/f1" else None
    a = site.start(KV, KV.replace("f0", "f1"))
    site.current("first")
    for value in ("second", "third"):
        site.put(value)
        site.current(value)
    site.proxy.rule = None
    site.current("first", 1)
    assert a.process.poll() is None


def test_an_absent_secret_delays_no_other(site):
    a = site.start(KV, KV.replace("f0", "none"))
    site.current("first")
    site.put("second")
    site.current("second")
    assert site.read(1) is None and a.process.poll() is None


# --- credentials ---------------------------------------------------------------------------


@needs_pg
def test_refused_renewals_mint_once_a_lease(db_site):
    db_site.pg.role(db_site.bao, "refused", "6s")
    db_site.proxy.rule = lambda r: 400 if r.path == "sys/leases/renew" else None
    a = db_site.start(KV, DB % "refused").started()
    first = db_site.read(1)
    a.event("lease not renewed")
    wait_until("another credential", lambda: db_site.read(1) != first)
    made = [r.at for r in db_site.proxy.seen(path="database/creds/")]
    assert len(made) == 2 and made[1] - made[0] > 3.5


@needs_pg
def test_revoked_lease_is_replaced_at_its_renewal(db_site):
    db_site.pg.role(db_site.bao, "revoked", "6s")
    a = db_site.start(KV, DB % "revoked").started()
    first = db_site.read(1)
    db_site.bao.put("sys/leases/revoke-prefix/database/creds/revoked")
    a.event("lease not renewed")
    wait_until("another credential", lambda: db_site.read(1) != first)
    assert db_site.pg.can_log_in(*db_site.read(1).split()) and minted(db_site) == 2


@needs_pg
def test_revoked_token_costs_one_login_and_one_credential(db_site):
    db_site.pg.role(db_site.bao, "hour", "1h")
    a = db_site.start(KV, DB % "hour").started()
    first = db_site.read(1)
    time.sleep(5)  # a token that was got just now is not doubted
    db_site.bao.revoke_tokens("faults")
    db_site.put("second")
    db_site.current("second")
    wait_until("another credential", lambda: db_site.read(1) != first)
    assert db_site.pg.can_log_in(*db_site.read(1).split())
    assert len(a.events("login")) == 2 and minted(db_site) == 2


@needs_pg
def test_credentials_do_not_end_with_the_token_they_came_with(db_site):
    db_site.login(token_ttl="6s", token_max_ttl="9s")
    db_site.pg.role(db_site.bao, "hour", "1h")
    a = db_site.start(KV, DB % "hour").started()
    first = db_site.read(1)
    def at(event):
        return datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))

    begin, name = at(a.event("login")), "vault:database/creds/hour"
    a.event("fetch", secret=name)
    end = at(a.event("fetch", secret=name))
    assert (end - begin).total_seconds() < 9  # the first token lived: nobody held a dead one
    wait_until("another credential", lambda: db_site.read(1) != first)
    assert len(a.events("login")) == 2 and db_site.pg.can_log_in(*db_site.read(1).split())


# --- commands ------------------------------------------------------------------------------


def test_a_slow_command_delays_no_other_file(site):
    site.start(site.template(KV, 0, command="sleep 30"), KV.replace("f0", "f1"))
    site.current("first")
    site.current("first", 1)
    site.put("second", 1)
    site.current("second", 1)


def test_a_failing_command_is_tried_again_and_delays_nobody(site):
    ran = f"{site.folder}/ran"
    with open(f"{site.folder}/script", "w", encoding="ascii") as f:
        f.write(f"echo x >>{ran}\ntest -e {site.folder}/good\n")
    a = site.start(site.template(KV, 0, command=f"/bin/sh {site.folder}/script"),
                   KV.replace("f0", "f1"))
    a.event("notification failed; it is tried again")
    site.put("second", 1)
    site.current("second", 1)
    wait_until("another try", lambda: len((read(ran) or "").split()) >= 2)
    with open(f"{site.folder}/good", "w", encoding="ascii"):
        pass
    a.event("signal")
    assert a.process.poll() is None
