# SPDX-License-Identifier: Apache-2.0
"""What the agent's measurements need: one real store, its database, the two agents with one
configuration, and figures with their noise."""
import dataclasses
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "test/system"), str(ROOT / "test/fake")]

import bao as bao_server  # noqa: E402
import machine  # noqa: E402
import postgres  # noqa: E402
from store_proxy import StoreProxy  # noqa: E402

N_SECRETS = 500
HZ = os.sysconf("SC_CLK_TCK")


def kv(i):
    """A template of one KV secret, as people write it."""
    return f'{{{{ with secret "kv2/data/app/s{i:04d}" }}}}{{{{ .Data.data.password }}}}{{{{ end }}}}\n'


def creds(role):
    return f'{{{{ with secret "database/creds/{role}" }}}}{{{{ .Data.username }}}} {{{{ .Data.password }}}}{{{{ end }}}}\n'


class World:
    """The store with everything in it; threads may share it."""

    def __init__(self, static):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ampoule-bench-", dir="/dev/shm"))
        self.static = static
        self.number, self.lock, self.running = 0, threading.Lock(), set()

    def __enter__(self):
        self.authority = bao_server.Authority(self.folder / "ca")
        self.issuer = bao_server.Issuer(self.folder)
        self.bao = bao_server.Bao(self.folder / "bao", durable=True, authority=self.authority)
        self.bao.start()
        self.pg = postgres.Postgres().__enter__() if postgres.binaries() else None
        prepare(self.bao, self.issuer, self.pg)
        self.jwt = str(self.folder / "jwt")
        pathlib.Path(self.jwt).write_text(self.issuer.token(ttl=7200, sub="app", aud="ampoule"))
        # From copies, so that no page of the peer is shared with the server's same program.
        self.disk = pathlib.Path(tempfile.mkdtemp(prefix="ampoule-bench-"))
        self.peer = str(self.disk / "bao-agent")
        shutil.copy(bao_server.binary(), self.peer)
        os.chmod(self.peer, 0o755)
        return self

    def __exit__(self, *exc):
        for agent in list(self.running):
            agent.close()
        if self.pg:
            self.pg.__exit__(None, None, None)
        self.bao.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.disk, ignore_errors=True)

    def proxy(self, bao=None):
        bao = bao or self.bao
        return StoreProxy(lambda: bao.port, bao.cert, bao.key)

    def place(self):
        """A new folder of its own."""
        with self.lock:
            self.number += 1
            path = self.folder / f"a{self.number}"
        path.mkdir()
        return path

    def prog(self, name):
        return str(ROOT / "build/mbedtls-musl/test/prog" / name)

    def sides(self):
        return [Side(self, "ampoule", [f"{self.static}/ampoule-agent", "--log-format", "json"]),
                Side(self, "bao agent", [self.peer, "agent"])]


def prepare(bao, issuer, pg, n=N_SECRETS):
    bao.kv2("kv2")
    for i in range(n):
        bao.put(f"kv2/data/app/s{i:04d}", {"data": {"password": f"first-{i}"}})
    bao.policy("app", ("kv2/data/app/*", "read"), ("database/creds/*", "read"),
               ("database/static-creds/*", "read"), ("sys/leases/revoke", "update"))
    bao.jwt(issuer, "app", ["app"], token_ttl="1h")
    if pg:
        pg.connect(bao)
        for name, ttl in (("short", "20s"), ("minute", "60s"), ("hour", "1h")):
            pg.role(bao, name, ttl, max_ttl="2h")


@dataclasses.dataclass
class Plan:
    """What one agent shall do."""
    templates: list
    once: bool = False
    interval: str = "5m"
    exit_on_retry_failure: bool = True
    address: str = None
    role: str = "app"
    more_keys: dict = dataclasses.field(default_factory=dict)  # of the first template


class Side:
    """One of the two agents; the configuration is the injector's for both."""

    def __init__(self, world, name, argv):
        self.world, self.name, self.argv = world, name, argv
        self.ours = name == "ampoule"

    def config(self, plan):
        place = self.world.place()
        files = [str(place / f"out-{i}") for i in range(len(plan.templates))]
        c = {
            "auto_auth": {
                "method": [{"type": "jwt", "mount_path": "auth/jwt", "config": {
                    "path": self.world.jwt, "role": plan.role, "remove_jwt_after_reading": False}}],
                "sink": [{"type": "file", "config": {"path": str(place / "token")}}]},
            "vault": {"address": plan.address or self.world.bao.https,
                      "ca_cert": self.world.authority.cert},
            "exit_after_auth": plan.once, "log_level": "info",
            "template_config": {"exit_on_retry_failure": plan.exit_on_retry_failure,
                                "static_secret_render_interval": plan.interval},
            "template": [{"destination": f, "contents": t, "left_delimiter": "{{",
                          "right_delimiter": "}}"} for f, t in zip(files, plan.templates)],
        }
        c["template"][0].update(plan.more_keys)
        path = place / "agent.json"
        path.write_text(json.dumps(c))
        return place, files, [*self.argv, f"-config={path}"]

    def env(self, place):
        return {"PATH": os.environ["PATH"], "HOME": str(place)}

    def once(self, plan):
        """One run to its end: what run_stat says, and whether all files are there."""
        place, files, argv = self.config(plan)
        with open(place / "log", "wb") as log:
            done = subprocess.run([self.world.prog("run_stat"), *argv], stdout=subprocess.PIPE,
                                  stderr=log, env=self.env(place), timeout=120, check=True)
        got = json.loads(done.stdout)
        if got["status"] != 0 or not all(os.path.exists(f) for f in files):
            raise RuntimeError(f"{self.name}: {got} {(place / 'log').read_text()[-2000:]}")
        shutil.rmtree(place)
        return got

    def start(self, plan):
        return Running(self, plan)


class Running:
    """A sidecar at work."""

    def __init__(self, side, plan):
        self.side, self.plan = side, plan
        self.place, self.files, argv = side.config(plan)
        self.log = open(self.place / "log", "wb")
        self.process = machine.start(argv, stdout=self.log, stderr=self.log,
                                     stdin=subprocess.DEVNULL, env=side.env(self.place))
        side.world.running.add(self)

    def close(self):
        self.side.world.running.discard(self)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.place, ignore_errors=True)

    def ended(self):
        return self.process.poll() is not None

    def said(self):
        return (self.place / "log").read_text(errors="replace")

    def read(self, i=0):
        try:
            return pathlib.Path(self.files[i]).read_text()
        except OSError:
            return None

    def all_there(self):
        return all(os.path.exists(f) for f in self.files)

    def wait(self, check, limit):
        """Seconds until check() is true, or None."""
        begin = time.monotonic()
        while not check():
            if time.monotonic() - begin > limit:
                return None
            time.sleep(0.005)
        return time.monotonic() - begin

    def started(self, limit=60):
        if self.wait(self.all_there, limit) is None:
            raise RuntimeError(f"{self.side.name}: not started: {self.said()[-2000:]}")
        return self

    # --- what it costs
    def memory(self):
        """KiB of RSS, PSS, private dirty; threads."""
        pid, got = self.process.pid, {}
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, _, value = line.partition(":")
            got[name] = int(value.split()[0])
        threads = len(os.listdir(f"/proc/{pid}/task"))
        return {"rss": got["Rss"], "pss": got["Pss"], "dirty": got["Private_Dirty"],
                "threads": threads}

    def spent(self):
        """CPU milliseconds and context switches so far, of all threads."""
        pid, switches, ms = self.process.pid, 0, 0.0
        for task in os.listdir(f"/proc/{pid}/task"):
            text = pathlib.Path(f"/proc/{pid}/task/{task}/status").read_text()
            switches += sum(int(x.split()[1]) for x in text.splitlines() if "ctxt_switches" in x)
            # schedstat counts nanoseconds; stat only ticks
            ms += int(pathlib.Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0]) / 1e6
        return ms, switches


# --- figures ------------------------------------------------------------------------------


@dataclasses.dataclass
class Figure:
    values: list

    @property
    def median(self):
        good = [v for v in self.values if v is not None]
        return statistics.median(good) if len(good) > len(self.values) / 2 else None

    def text(self, digits=0):
        def one(v):
            return "never" if v is None else f"{v:,.{digits}f}"
        good = sorted(v for v in self.values if v is not None)
        if not good:
            return "never"
        last = "never" if None in self.values else one(good[-1])
        if len(self.values) == 1 or (one(good[0]) == one(good[-1]) and last != "never"):
            return one(good[0])
        return f"{one(good[0])} / {one(self.median)} / {last}"


class Table:
    """Rows of what was measured: ours, theirs, the ratio, and whether a target is met."""

    def __init__(self, title):
        self.title, self.rows, self.missed = title, [], []

    def add(self, what, ours, theirs, digits=0, target=None):
        """target: a text and whether it is met."""
        a, b = ours.median, theirs.median if theirs else None
        ratio = "" if not theirs else f"1/{b / a:,.1f}" if a and b and b >= a else \
            f"{a / b:,.2f}" if a and b else ""
        mark = ""
        if target:
            mark = f"{target[0]}: {'met' if target[1] else 'MISSED'}"
            if not target[1]:
                self.missed.append(f"{what}: {mark}")
        row = (what, ours.text(digits), theirs.text(digits) if theirs else "", ratio, mark)
        self.rows.append(row)
        print("  " + " | ".join(row), flush=True)

    def markdown(self):
        head = [f"**{self.title}**", "", "| | ampoule | bao agent | ratio | target |",
                "|---|---|---|---|---|"]
        return "\n".join(head + ["| " + " | ".join(r) + " |" for r in self.rows])
