# SPDX-License-Identifier: Apache-2.0
"""The agents beside each other while the store fails. Each case has its own proxies and
agents; the cases run at the same time, as most of their time is waiting."""
import concurrent.futures
import threading
import time
import traceback

from agent_world import Figure, Plan, Table, bao_server, creds, kv, prepare
from store_proxy import HANG, Rule

NEVER_S = 100  # how long a case waits for what may never come


class Case:
    """n agents of each side, each side behind a proxy of its own, with one KV secret that is
    polled each second and perhaps more templates."""

    number, lock = 0, threading.Lock()

    def __init__(self, world, n, more=(), bao=None, start=True, **plan):
        with Case.lock:
            self.secret = Case.number = Case.number + 1
        self.world, self.bao, self.n = world, bao or world.bao, n
        self.sides = world.sides()
        self.proxies = [world.proxy(self.bao).__enter__() for _ in self.sides]
        self.plan = {"interval": "1s", **plan}
        self.more, self.agents = more, [[], []]
        if start:
            self.start()
            for a in self.everyone():
                a.started(120)
            time.sleep(3)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for a in self.everyone():
            a.close()
        for p in self.proxies:
            p.__exit__(None, None, None)

    def start(self):
        for k, side in enumerate(self.sides):
            more = self.more(side) if callable(self.more) else list(self.more)
            plan = Plan([kv(self.secret), *more], address=self.proxies[k].address, **self.plan)
            self.agents[k] = [side.start(plan) for _ in range(self.n)]

    def everyone(self):
        return [a for side in self.agents for a in side]

    def put(self, value):
        self.bao.put(f"kv2/data/app/s{self.secret:04d}", {"data": {"password": value}})

    def rules(self, rule):
        for p in self.proxies:
            p.rule = rule

    def both(self, act):
        for p in self.proxies:
            getattr(p, act)()

    def until(self, check, limit=NEVER_S):
        """Seconds from now until check(agent), of each agent, by side; None = never."""
        begin, took = time.monotonic(), {}
        everyone = self.everyone()
        while len(took) < len(everyone) and time.monotonic() - begin < limit:
            for a in everyone:
                if a not in took and check(a):
                    took[a] = time.monotonic() - begin
            if all(a in took or a.ended() for a in everyone):
                break
            time.sleep(0.01)
        return [Figure([took.get(a) for a in side]) for side in self.agents]

    def until_current(self, value, limit=NEVER_S):
        return self.until(lambda a: a.read() == value + "\n", limit)

    def minted(self, since):
        """Credentials that an agent has got since then, on average."""
        return [Figure([sum(r.status == 200 for r in p.seen(since=since, path="database/creds/")) / self.n])
                for p in self.proxies]


def within(seconds):
    return lambda a, b: (f"<= {seconds} s", a.median is not None and None not in a.values
                         and max(a.values) <= seconds)


def not_worse(a, b):
    return "<= theirs", a.median is not None and (b.median is None or a.median <= b.median)


class Living:
    """Which database users can log in now: one look for all cases."""

    def __init__(self, world):
        self.world, self.users, self.ending = world, set(), False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        if self.world.pg:
            self.look()
            self.thread.start()
        return self

    def __exit__(self, *exc):
        self.ending = True
        if self.world.pg:
            self.thread.join(10)

    def look(self):
        self.users = set(self.world.pg.sql(
            "select rolname from pg_roles where rolvaliduntil > now()").split())

    def _run(self):
        while not self.ending:
            self.look()
            time.sleep(0.3)

    def dead(self, agent):
        text = agent.read(1)
        return bool(text) and text.split()[0] not in self.users


class Dead:
    """How long the credential in each agent's second file was dead."""

    def __init__(self, case, living):
        self.case, self.living, self.ending = case, living, False
        self.seconds = {a: 0.0 for a in case.everyone()}
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        last = time.monotonic()
        while not self.ending:
            time.sleep(0.3)
            now = time.monotonic()
            for a in self.seconds:
                if self.living.dead(a):
                    self.seconds[a] += now - last
            last = now

    def end(self):
        self.ending = True
        self.thread.join(10)
        return [Figure([self.seconds[a] for a in side]) for side in self.case.agents]


# --- the cases: each yields rows of (what, figures, digits, target) ---------------------------


def down_at_start(seconds):
    def case(world, living, n):
        with Case(world, n, start=False) as c:
            c.both("refuse")
            c.start()
            time.sleep(seconds)
            c.both("accept")
            limit = 2 if seconds <= 10 else 7
            yield f"store down at start for {seconds} s", c.until(lambda a: a.all_there()), 1, within(limit)
    return case


def outage(seconds, role="minute"):
    def case(world, living, n):
        with Case(world, n, more=[creds(role)] if world.pg else []) as c:
            begin, dead = time.monotonic(), Dead(c, living)
            c.both("refuse")
            time.sleep(seconds)
            c.put("after")
            c.both("accept")
            yield f"no connection for {seconds} s", c.until_current("after"), 1, within(2 if seconds <= 10 else 3 if seconds <= 20 else 7)
            if not world.pg:
                return
            c.until(lambda a: not living.dead(a), 60)
            time.sleep(1)
            # No lease outlives an outage that is as long; then it is dead until the recovery.
            yield f"no connection for {seconds} s, lease {role}: credential dead, s", dead.end(), 1, \
                not_worse if seconds <= 20 else None
            yield f"no connection for {seconds} s: credentials minted by an agent", c.minted(begin), 1, None
    return case


def answers(what, rule, seconds, limit=3):
    def case(world, living, n):
        with Case(world, n, more=[creds("minute")] if world.pg else []) as c:
            begin = time.monotonic()
            c.rules(lambda r: rule)
            time.sleep(seconds)
            if seconds > 80:
                rates = [Figure([p.count(since=begin + 60, until=begin + seconds) / n * 60 / (seconds - 60)])
                         for p in c.proxies]
                yield f"{what}: requests a minute, from the second minute on", rates, 1, \
                    lambda a, b: ("<= 10", a.median <= 10)
            c.put("after")
            c.rules(None)
            yield f"{what} for {seconds} s", c.until_current("after"), 1, within(limit)
            if world.pg:
                yield f"{what} for {seconds} s: credentials minted by an agent", c.minted(begin), 1, \
                    lambda a, b: ("<= 1", a.median <= 1)
    return case


def own_server(world, living, n):
    """A real server that is killed, then sealed."""
    bao = bao_server.Bao(world.folder / "victim", durable=True, authority=world.authority)
    bao.start()
    try:
        prepare(bao, world.issuer, world.pg, n=60)
        with Case(world, n, more=[creds("minute")] if world.pg else [], bao=bao) as c:
            dead = Dead(c, living)
            c.both("refuse")
            bao.stop(kill=True)
            time.sleep(18)
            bao.start()
            c.put("after")
            c.both("accept")
            yield "store killed for about 20 s", c.until_current("after"), 1, within(3)
            yield "store killed for about 20 s, lease of 60 s: credential dead, s", dead.end(), 1, not_worse
            time.sleep(3)
            bao.seal()
            time.sleep(20)
            bao.unseal()
            c.put("unsealed")
            yield "store sealed for 20 s", c.until_current("unsealed"), 1, within(3)
    finally:
        bao.stop()


def lease_revoked(role, wait):
    def case(world, living, n):
        def more(side):
            world.pg.role(world.bao, f"{role}-{side.name[:3]}", "60s" if role == "minute" else "1h", max_ttl="2h")
            return [creds(f"{role}-{side.name[:3]}")]
        with Case(world, n, more=more) as c:
            time.sleep(5)
            dead = Dead(c, living)
            for side in c.sides:
                world.bao.put(f"sys/leases/revoke-prefix/database/creds/{role}-{side.name[:3]}")
            living.look()
            c.until(lambda a: not living.dead(a), wait)
            yield f"lease of 1 {role} revoked: credential dead, s ({wait} s watched)", dead.end(), 0, not_worse
    return case


def token_revoked(world, living, n):
    with Case(world, n, role="victim", start=False) as c:
        world.bao.policy("victim", ("kv2/data/app/*", "read"), ("database/creds/*", "read"))
        world.bao.jwt(world.issuer, "victim", ["victim"], token_ttl="1h")
        c.start()
        for a in c.everyone():
            a.started()
        time.sleep(6)
        world.bao.revoke_tokens("victim")
        c.put("after")
        yield "token revoked", c.until_current("after"), 1, within(3)


def late(world, living, n):
    with Case(world, n, more=[kv(480 + i) for i in range(9)], start=False) as c:
        c.rules(lambda r: Rule(delay=2))
        c.start()
        yield "every answer 2 s late, 10 templates: first render", c.until(lambda a: a.all_there()), 1, not_worse


def renewals_refused(world, living, n):
    if not world.pg:
        return
    with Case(world, n, more=[creds("short")]) as c:
        begin = time.monotonic()
        c.rules(lambda r: 400 if r.path == "sys/leases/renew" else None)
        time.sleep(40)
        yield "renewals refused, lease of 20 s, 40 s: credentials minted by an agent", c.minted(begin), 1, \
            lambda a, b: ("<= 1 a lease", a.median <= 3)


def slow_command(world, living, n):
    command = {"exec": {"command": ["/bin/sh", "-c", "sleep 20"], "timeout": "30s"}}
    with Case(world, n, more=[kv(470)], more_keys=command) as c:
        time.sleep(22)  # the one of the first rendering
        c.put("after")
        time.sleep(2.5)  # its command runs now
        world.bao.put("kv2/data/app/s0470", {"data": {"password": "after"}})
        yield "a command of 20 s: other file current", c.until(lambda a: a.read(1) == "after\n"), 1, within(2)


def failing_command(world, living, n):
    with Case(world, n, more=[kv(471)], more_keys={"exec": {"command": ["/bin/false"], "timeout": "5s"}},
              start=False) as c:
        c.start()
        time.sleep(10)
        world.bao.put("kv2/data/app/s0471", {"data": {"password": "after"}})
        yield "a command that fails: other file current", c.until(lambda a: a.read(1) == "after\n", 60), 1, within(2)


def one_absent(world, living, n):
    with Case(world, n, more=[kv(9999)] + [kv(490 + i) for i in range(8)], start=False) as c:
        c.start()
        files = [0] + list(range(2, 10))
        yield "one of ten secrets absent: the nine files", \
            c.until(lambda a: all(a.read(i) for i in files), 30), 1, within(3)


def cases(world, quick):
    found = [down_at_start(10), down_at_start(60), outage(10), outage(20), outage(60), own_server,
             answers("status 500", 500, 20), answers("status 503", 503, 20),
             answers("status 429", 429, 20), answers("no answer (hang)", HANG, 20, limit=7), token_revoked, late,
             renewals_refused, slow_command, failing_command, one_absent]
    if world.pg:
        found.append(lease_revoked("minute", 70))
    if not quick:
        found += [down_at_start(120), outage(180), answers("status 503", 503, 120, limit=7)]
        if world.pg:
            found += [outage(45, "short"), lease_revoked("hour", 100)]
    return found


def faults(world, quick):
    n = 2 if quick else 3
    title = f"faults: seconds until the file is current after the end, {n} agents each"
    table, lock, failed = Table(title), threading.Lock(), []

    def run(case):
        try:
            for what, (ours, theirs), digits, target in case(world, living, n):
                with lock:
                    table.add(what, ours, theirs, digits, target(ours, theirs) if target else None)
        except Exception:  # a case that breaks is a finding, not the end of the others
            traceback.print_exc()
            failed.append(case)

    with Living(world) as living, concurrent.futures.ThreadPoolExecutor(32) as pool:
        todo = []
        for case in cases(world, quick):
            todo.append(pool.submit(run, case))
            time.sleep(1.5)  # not all agents start in the same second
        concurrent.futures.wait(todo)
    table.missed += [f"a case broke: {c.__qualname__}" for c in failed]
    table.rows.sort()
    return table


PARTS = {"faults": faults}
