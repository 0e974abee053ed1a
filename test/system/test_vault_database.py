# SPDX-License-Identifier: Apache-2.0
"""The vault store with the database engine of a real OpenBao on a real PostgreSQL: leases
and static roles."""
import time

import pytest

import postgres
from store_run import Store, approle, digest, wait_until, with_token

pytestmark = pytest.mark.skipif(not postgres.binaries(), reason="no PostgreSQL on this machine")


@pytest.fixture(name="pg", scope="module")
def _pg():
    with postgres.Postgres() as server:
        yield server


@pytest.fixture(name="db")
def _db(bao, pg):
    pg.connect(bao)
    return pg


def test_dynamic_credentials(bao, db, tmp_path):
    db.role(bao, "app", "30s", max_ttl="45s")
    rules = ("database/creds/app", "read"), ("sys/leases/revoke", "update")
    c, _ = with_token(bao, tmp_path, *rules)
    with Store(tmp_path, c) as s:
        s.good("login")
        a = s.good("get database/creds/app")
        assert a["life"] == "lease" and a["renewable"] and a["lease_ms"] == 30000
        assert a["lease_id"].startswith("database/creds/app/") and a["version"] == a["lease_id"]
        assert len(db.sql("select rolname from pg_roles where rolname like 'v-%'").split()) == 1
        b = s.good("renew")
        assert b["renewable"] and 25000 < b["lease_ms"] <= 30000
        s.good("revoke")
        assert db.sql("select rolname from pg_roles where rolname like 'v-%'") == ""
        assert s.bad(f"renew {a['lease_id']}", "missing", "the lease is gone")["cause"] == 410


def test_leases_end_with_their_token(bao, db, tmp_path):
    """No policy lets a token revoke its leases one by one unless somebody writes it."""
    db.role(bao, "app", "30s")
    bao.policy("db-app", ("database/creds/app", "read"))
    c = approle(bao, tmp_path, ["db-app"])
    with Store(tmp_path, c) as s:
        s.good("login")
        s.good("get database/creds/app")
        s.bad("revoke", "denied", "sys/leases/revoke")
        s.good("logout")
    wait_until(lambda: db.sql("select rolname from pg_roles where rolname like 'v-%'") == "")


def test_an_engine_that_fails(bao, db, tmp_path):
    """500 is this path's matter: the store itself is well."""
    bao.put("kv/data/app", {"data": {"a": "b"}})
    bao.put("database/config/gone", {
        "plugin_name": "postgresql-database-plugin", "allowed_roles": "*",
        "verify_connection": False, "username": "admin", "password": "admin-word",
        "connection_url": "postgresql://{{username}}:{{password}}@127.0.0.1:1/postgres"})
    bao.put("database/roles/gone", {"db_name": "gone", "creation_statements": ["select 1"]})
    c, _ = with_token(bao, tmp_path, ("database/creds/*", "read"), ("kv/data/app", "read"))
    with Store(tmp_path, c) as s:
        s.good("login")
        a = s.bad("get database/creds/gone", "retry", "failed inside")
        assert a["cause"] == 500 and "admin" not in a["error"]
        s.good("get kv/app")
        assert s.bad("get database/creds/none", "denied", "no such role")["cause"] == 400


def test_static_role_is_read_when_it_rotates(bao, db, tmp_path):
    db.static_role(bao, "stat", "5s")
    c, _ = with_token(bao, tmp_path, ("database/static-creds/stat", "read"))
    with Store(tmp_path, c) as s:
        s.good("login")
        a = s.good("get database/static-creds/stat")
        assert a["life"] == "until" and a["lease_id"] == ""
        reads, end = 0, time.monotonic() + 20
        while (b := s.good("get database/static-creds/stat"))["version"] == a["version"]:
            assert time.monotonic() < end and 100 <= b["next_ms"] <= 5000
            reads += 1
            time.sleep(b["next_ms"] / 1000)  # as the agent waits
        late = bao.get("database/static-creds/stat")["data"]
        assert b["data"] != a["data"] and b["data"] == digest(late) or late["ttl"] < 5
        assert reads <= 40
