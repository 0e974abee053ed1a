# SPDX-License-Identifier: Apache-2.0
"""What outlives the agent: token, leases and secrets in the sealed state, against a real
OpenBao with PostgreSQL. A restart, and the sidecar behind an init container, cost one login
and one credential; both are counted at the store."""
import glob
import os
import shutil

import pytest

import postgres
from agent_run import Agent, memory_folder, read, remove_folder, template, wait_until

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

    def config(self, state=True, templates=None, extra="", role="state"):
        f = self.folder
        return (f'vault {{\n  address = "{self.bao.https}"\n'
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


@needs_pg
def test_init_and_sidecar_share_one_login_and_one_credential(pod):
    init = pod.start("--once")
    assert init.ended(20) == 0
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
