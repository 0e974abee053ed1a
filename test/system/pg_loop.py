# SPDX-License-Identifier: Apache-2.0
"""A client that logs in to PostgreSQL with the credentials that the agent renders, every 50 ms:
across renewals, rotations at the maximum, a restart of the store, and outages. Not one login
may fail. usage: AMPOULE_BIN=build/static pg_loop.py [SECONDS]"""
import ctypes
import ctypes.util
import pathlib
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "fake"))

import bao as bao_server  # noqa: E402
import postgres  # noqa: E402
from agent_run import Agent, memory_folder, read, remove_folder, template  # noqa: E402
from store_proxy import StoreProxy  # noqa: E402

EVERY_S = 0.05
DB = '{{ with secret "database/creds/%s" }}{{ .Data.username }} {{ .Data.password }}{{ end }}'


class Client:
    """Logins through libpq, which costs less than a psql for each."""

    def __init__(self, port):
        self.port = port
        self.lib = ctypes.CDLL(ctypes.util.find_library("pq"))
        self.lib.PQconnectdb.restype = ctypes.c_void_p
        self.lib.PQstatus.argtypes = self.lib.PQfinish.argtypes = [ctypes.c_void_p]

    def can_log_in(self, user, password):
        text = (f"host=127.0.0.1 port={self.port} dbname=postgres user='{user}' password='{password}' "
                "connect_timeout=20 gssencmode=disable sslmode=disable")
        c = self.lib.PQconnectdb(text.encode())
        ok = self.lib.PQstatus(c) == 0
        self.lib.PQfinish(c)
        return ok


class Loop:
    """Two credentials, used in turns: one that is renewed and then replaced, one whose maximum
    is its first grant."""

    def __init__(self, folder, ttl):
        self.folder, self.ttl, self.memory = pathlib.Path(folder), ttl, memory_folder()
        self.users, self.failed, self.logins = [set(), set()], [], 0
        self.begin, self.ending = time.monotonic(), threading.Event()

    def __enter__(self):
        self.pg = postgres.Postgres().__enter__()
        self.bao = bao_server.Bao(self.folder / "bao", durable=True)
        self.bao.start()
        self.proxy = StoreProxy(lambda: self.bao.port, self.bao.cert, self.bao.key).__enter__()
        self.pg.connect(self.bao)
        self.pg.role(self.bao, "renewed", f"{self.ttl}s", max_ttl=f"{self.ttl * 5 // 2}s")
        self.pg.role(self.bao, "fixed", f"{self.ttl}s", max_ttl=f"{self.ttl}s")
        self.bao.policy("loop", ("database/creds/*", "read"))
        role, secret = self.bao.approle("loop", ["loop"], token_ttl=f"{self.ttl * 3}s", secret_id_num_uses=0)
        for name, value in (("role", role), ("secret", secret)):
            (pathlib.Path(self.memory) / name).write_text(value)
        config = (f'vault {{\n address = "{self.proxy.address}"\n ca_cert = "{self.bao.authority.cert}"\n}}\n'
                  f'auto_auth {{\n method "approle" {{\n config = {{\n role_id_file_path = "{self.memory}/role"\n'
                  f' secret_id_file_path = "{self.memory}/secret"\n'
                  ' remove_secret_id_file_after_reading = false\n }\n }\n}\n')
        self.agent = Agent(self.memory, config + "".join(
            template(f"{self.memory}/{role}", DB % role) for role in ("renewed", "fixed"))).started(60)
        return self

    def __exit__(self, *exc):
        self.agent.close()
        self.proxy.__exit__(None, None, None)
        self.bao.stop()
        self.pg.__exit__(None, None, None)
        remove_folder(self.memory)

    def log_in(self):
        """Every 50 ms until the end, with the credentials in turns."""
        client, k = Client(self.pg.port), 0
        due = self.begin = time.monotonic()
        while not self.ending.is_set():
            k = 1 - k
            user, password = read(f"{self.memory}/{('renewed', 'fixed')[k]}").split()
            self.users[k].add(user)
            self.logins += 1
            if not client.can_log_in(user, password):
                self.failed.append(f"{user} after {time.monotonic() - self.begin:.1f} s")
            due = max(due + EVERY_S, time.monotonic())
            self.ending.wait(max(0, due - time.monotonic()))

    def restart(self):
        self.proxy.refuse()
        self.bao.stop()
        self.bao.start()
        self.proxy.accept()

    def outage(self, seconds):
        """While a renewal is due, which is between six and seven tenths of the lease."""
        self.agent.lines.all()
        self.agent.event("renew", limit=self.ttl)
        self.ending.wait(self.ttl * 0.58)
        self.proxy.refuse()
        self.ending.wait(seconds)
        self.proxy.accept()

    def at(self, seconds):
        """Waits until so long after the begin of the logins."""
        self.ending.wait(max(0, self.begin + seconds - time.monotonic()))

    def says(self):
        renewals = len(self.agent.events("renew"))
        return (f"{self.logins} logins, {len(self.failed)} failed; {renewals} renewals, "
                f"{len(self.users[0])} and {len(self.users[1])} credentials, {len(self.agent.events('login'))} logins "
                f"of the agent, {len(self.agent.events('store answers again'))} outages seen")


def run(folder, seconds, ttl, outage, shares):
    """The whole: a restart after a sixth of the time, outages soon after these shares of it."""
    with Loop(folder, ttl) as loop:
        client = threading.Thread(target=loop.log_in)
        client.start()
        try:
            loop.at(seconds / 6)
            loop.restart()
            for share in shares:
                loop.at(seconds * share)
                loop.outage(outage)
            loop.at(seconds)
        finally:
            loop.ending.set()
            client.join(60)
        return loop, loop.says()


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    if not postgres.binaries():
        print("no PostgreSQL on this machine")
        return 0
    with tempfile.TemporaryDirectory(prefix="ampoule-") as folder:
        loop, text = run(folder, seconds, ttl=120, outage=20, shares=(0.25, 0.6))
    print(f"{seconds} s: {text}")
    for text in loop.failed:
        print(f"  failed: {text}")
    good = (not loop.failed and len(loop.users[0]) > 1 and len(loop.users[1]) > 4
            and loop.agent.events("store answers again"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
