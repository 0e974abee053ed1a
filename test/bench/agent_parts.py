# SPDX-License-Identifier: Apache-2.0
"""The measurements of a healthy store: start, rest, polling, propagation, many at once."""
import time

from agent_world import Figure, Plan, Table, creds, kv

COUNTS = (1, 10, 100, 500)


def figure(runs, key, scale=1.0):
    return Figure([r[key] / scale for r in runs])


def alternate(sides, n, work):
    """n results of each side, in turns, so that both meet the same machine."""
    got = {s.name: [] for s in sides}
    for i in range(n):
        for s in sides if i % 2 == 0 else reversed(sides):
            got[s.name].append(work(s))
    return [got[s.name] for s in sides]


def oneshot(world, quick):
    """Start, login, N secrets, N files, end."""
    table = Table("one-shot (init), TLS")
    for count in COUNTS:
        n = (3 if quick else 9) if count < 100 else (2 if quick else 5)
        plan = Plan([kv(i) for i in range(count)], once=True)
        sides = world.sides()
        for s in sides:
            s.once(plan)  # into the page cache
        ours, theirs = alternate(sides, n, lambda s, p=plan: s.once(p))
        wall = [figure(r, "wall_us", 1000) for r in (ours, theirs)]
        cpu = [figure(r, "cpu_us", 1000) for r in (ours, theirs)]
        target = {1: ("<= 20 ms", wall[0].median <= 20),
                  500: ("<= 1/4", wall[0].median * 4 <= wall[1].median)}.get(count)
        table.add(f"{count} templates, wall ms (n={n})", *wall, target=target, digits=1)
        target = {1: ("<= 15 ms", cpu[0].median <= 15),
                  500: ("<= 1/10", cpu[0].median * 10 <= cpu[1].median)}.get(count)
        table.add(f"{count} templates, CPU ms", *cpu, target=target, digits=1)
        table.add(f"{count} templates, peak RSS MiB", *(figure(r, "rss_kib", 1024)
                                                        for r in (ours, theirs)), digits=1)
        requests, connections = [], []
        for s in sides:
            with world.proxy() as proxy:
                s.once(Plan(plan.templates, once=True, address=proxy.address))
                requests.append(Figure([proxy.count()]))
                connections.append(Figure([proxy.connections]))
        target = ("<= 502" if count == 500 else "<= theirs", requests[0].median <=
                  (502 if count == 500 else requests[1].median))
        table.add(f"{count} templates, requests", *requests, target=target)
        target = ("<= 10", connections[0].median <= 10) if count == 500 else None
        table.add(f"{count} templates, connections", *connections, target=target)
    return table


def rest(world, quick):
    """Memory of a sidecar that has nothing to do, and what it does then."""
    table = Table("sidecar at rest")
    for count in COUNTS:
        got = []
        for s in world.sides():
            with Closing(s.start(Plan([kv(i) for i in range(count)]))) as a:
                a.started()
                time.sleep(5 if quick else 8)
                got.append(a.memory())
        for key, name in (("rss", "RSS"), ("pss", "PSS"), ("dirty", "private dirty")):
            target = None
            if count == 10 and key != "pss":
                most = {"rss": 2048, "dirty": 1024}[key]
                target = (f"<= {most // 1024} MiB", got[0][key] <= most)
            table.add(f"{count} templates, {name} MiB", *(Figure([g[key] / 1024]) for g in got),
                      digits=2, target=target)
    table.add("threads", *(Figure([g["threads"]]) for g in got))
    return table


class Closing:
    def __init__(self, *agents):
        self.agents = agents

    def __enter__(self):
        return self.agents[0] if len(self.agents) == 1 else self.agents

    def __exit__(self, *exc):
        for a in self.agents:
            a.close()


def per_minute(agents, seconds, proxies=()):
    """(CPU ms, context switches) a minute of each, and the requests through each proxy."""
    before, begin = [a.spent() for a in agents], time.monotonic()
    time.sleep(seconds)
    scale = 60 / (time.monotonic() - begin)
    after = [a.spent() for a in agents]
    requests = [p.count(since=begin) * scale for p in proxies]
    return [((y[0] - x[0]) * scale, (y[1] - x[1]) * scale)
            for x, y in zip(before, after)], requests


def idle(world, quick):
    """10 static secrets at 5 minutes and, with a database, one lease of an hour."""
    table = Table("idle, 10 secrets at 5 m and a lease of 1 h, a minute")
    templates = [kv(i) for i in range(10)] + ([creds("hour")] if world.pg else [])
    agents = [s.start(Plan(templates)) for s in world.sides()]
    with Closing(*agents):
        for a in agents:
            a.started()
        time.sleep(10)
        costs, _ = per_minute(agents, 20 if quick else 60)
    table.add("context switches", *(Figure([c[1]]) for c in costs), target=("<= 5", costs[0][1] <= 5))
    table.add("CPU ms", *(Figure([c[0]]) for c in costs), digits=1)
    return table


def polling(world, quick):
    """What polling costs when nothing changes."""
    table = Table("polling at 1 s, nothing changes, a minute")
    seconds = 15 if quick else 30
    for what, templates in (("10 secrets", [kv(i) for i in range(10)]),
                            ("10 templates of one secret", [kv(0) + str(i) for i in range(10)]),
                            ("100 secrets", [kv(i) for i in range(100)])):
        proxies = [world.proxy().__enter__() for _ in range(2)]
        agents = [s.start(Plan(templates, interval="1s", address=p.address))
                  for s, p in zip(world.sides(), proxies)]
        with Closing(*agents):
            for a in agents:
                a.started()
            time.sleep(3)
            costs, requests = per_minute(agents, seconds, proxies)
        table.add(f"{what}, requests", *(Figure([r]) for r in requests),
                  target=("<= theirs", requests[0] <= requests[1]))
        percent = [c[0] / 600 for c in costs]
        table.add(f"{what}, % of a core", *(Figure([p]) for p in percent), digits=2,
                  target=("<= 3 %", percent[0] <= 3) if len(templates) == 100 else None)
        for p in proxies:
            p.__exit__(None, None, None)
    return table


def propagation(world, quick):
    """From the store's answer to a write to the file; from a lease's end to the next one."""
    table = Table("propagation")
    rounds = 5 if quick else 12
    agents = [s.start(Plan([kv(400)], interval="1s")) for s in world.sides()]
    took = [[], []]
    with Closing(*agents):
        for a in agents:
            a.started()
        for i in range(rounds):
            time.sleep(1.5 + 0.137 * (i % 7))
            world.bao.put("kv2/data/app/s0400", {"data": {"password": f"round-{i}"}})
            begin, left = time.monotonic(), {0, 1}
            while left and time.monotonic() - begin < 10:
                for k in list(left):
                    if agents[k].read() == f"round-{i}\n":
                        took[k].append(time.monotonic() - begin)
                        left.discard(k)
                time.sleep(0.002)
            for k in left:
                took[k].append(None)
    table.add(f"KV write to file at 1 s, seconds (n={rounds})", *(Figure(t) for t in took), digits=2)
    if world.pg:
        static_role(world, table, 3 if quick else 6)
        lease_end(world, table, 25 if quick else 40)
    return table


def static_role(world, table, rotations):
    """How long the file holds a password that no longer logs in."""
    world.pg.static_role(world.bao, "stat", "10s")
    text = '{{ with secret "database/static-creds/stat" }}{{ .Data.password }}{{ end }}'
    agents = [s.start(Plan([text])) for s in world.sides()]
    dead = [[], []]
    with Closing(*agents):
        for a in agents:
            a.started()
        current = world.bao.get("database/static-creds/stat")["data"]["password"]
        for _ in range(rotations):
            while (now := world.bao.get("database/static-creds/stat")["data"]["password"]) == current:
                time.sleep(0.02)
            begin, current, left = time.monotonic(), now, {0, 1}
            while left and time.monotonic() - begin < 8:
                for k in list(left):
                    if agents[k].read() == current:
                        dead[k].append(time.monotonic() - begin)
                        left.discard(k)
                time.sleep(0.005)
            for k in left:
                dead[k].append(None)
    table.add(f"static role at rotation: file wrong for s (n={rotations})", *(Figure(d) for d in dead),
              digits=2)


def lease_end(world, table, seconds):
    """A lease that cannot be prolonged: is the credential in the file ever dead?"""
    world.pg.role(world.bao, "brief", "12s", max_ttl="12s")
    agents = [s.start(Plan([creds("brief")])) for s in world.sides()]
    dead, changes = [0.0, 0.0], [set(), set()]
    with Closing(*agents):
        for a in agents:
            a.started()
        end = last = time.monotonic()
        end += seconds
        while time.monotonic() < end:
            for k, a in enumerate(agents):
                text = a.read()
                user, password = text.split()
                changes[k].add(user)
                ok = world.pg.can_log_in(user, password)
                if not ok and a.read() == text:
                    dead[k] += time.monotonic() - last
            last = time.monotonic()
            time.sleep(0.05)
    table.add(f"lease of 12 s, {seconds} s: credential dead, seconds", *(Figure([d]) for d in dead), digits=2)
    table.add("the same: credentials minted", *(Figure([len(c)]) for c in changes))


def twenty(world, quick):
    """A node full of pods: 20 agents with 10 secrets each."""
    table = Table("20 agents at once, 10 secrets each")
    costs = []
    for s in world.sides():
        begin = time.monotonic()
        agents = [s.start(Plan([kv(k * 10 + i) for i in range(10)])) for k in range(20)]
        with Closing(*agents):
            for a in agents:
                a.started(120)
            took = time.monotonic() - begin
            time.sleep(5 if quick else 8)
            memory = [a.memory() for a in agents]
            cost, _ = per_minute(agents, 15 if quick else 20)
        costs.append({"start": took, "pss": sum(m["pss"] for m in memory) / 1024,
                      "dirty": sum(m["dirty"] for m in memory) / 1024,
                      "threads": sum(m["threads"] for m in memory),
                      "ms": sum(c[0] for c in cost), "switches": sum(c[1] for c in cost)})
    for key, name, digits in (("start", "all files of all agents, seconds", 2),
                              ("pss", "PSS MiB together", 1), ("dirty", "private dirty MiB together", 1),
                              ("threads", "threads", 0), ("switches", "context switches a minute at rest", 0),
                              ("ms", "CPU ms a minute at rest", 1)):
        table.add(name, *(Figure([c[key]]) for c in costs), digits=digits)
    return table


PARTS = {"oneshot": oneshot, "rest": rest, "idle": idle, "polling": polling,
         "propagation": propagation, "twenty": twenty}
