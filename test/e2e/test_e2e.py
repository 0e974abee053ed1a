# SPDX-License-Identifier: Apache-2.0
"""Ampoule as a user installs it: the webhook runs as pods of the image, pods ask it by
annotations, a real kubelet runs them, and what a person would look at is looked at.

Every step has pods of its own. All of them begin with the first one and wait beside each other;
the node's restart comes last, over everything that runs by then."""
import concurrent.futures
import json
import os
import pathlib
import select
import signal
import subprocess
import threading
import time

import pytest

from world import AWAY, STRICT, SYSTEM, address, seconds, until

STEPS = []
SHELL = ["/bin/busybox", "sh", "-c"]
DB = '{{ with secret "database/creds/%s" }}{{ .Data.username }} {{ .Data.password }}\n{{ end }}'


def step(function):
    """A test that is started with the first one; the test itself is its end."""
    STEPS.append(function)

    def test(started):
        started(function)
    return test


@pytest.fixture(name="started", scope="session")
def _started(world, request):
    with concurrent.futures.ThreadPoolExecutor(len(STEPS)) as pool:
        chosen = {i.name for i in request.session.items}
        runs = {f: pool.submit(timed, f, world) for f in STEPS if f.__name__ in chosen}

        def join(function):
            took, told = runs[function].result()
            print(f"\n  {function.__doc__}: {took:.1f} s{told}", end="", flush=True)
        yield join


def timed(function, world):
    begin = time.monotonic()
    told = function(world)
    return time.monotonic() - begin, f" ({told})" if told else ""


def app(*args, name="app", image="app", **more):
    return {"name": name, "image": f"localhost/{image}:test", "args": list(args), **more}


def shell(text, image="psql", **more):
    return app(image=image, **{"command": [*SHELL, text], **more})


def user(uid):
    return {"securityContext": {"runAsUser": uid}}


# --- 1: the right content, for whom it is meant


@step
def test_content(world):
    """1  a peer's annotations: content, tmpfs, read-only, only for the container named"""
    world.secret("one", user="me", password="first")
    peer = "vault.hashicorp.com/"
    pod = world.pod("one", {
        f"{peer}agent-inject": "true", f"{peer}role": "web",
        f"{peer}agent-inject-containers": "app", f"{peer}agent-inject-secret-plain": "kv/data/one",
        f"{peer}agent-inject-template-db": '{{ with secret "kv/data/one" }}'
        "{{ .Data.data.user }}:{{ .Data.data.password }}{{ end }}"},
        app("/vault/secrets/db"), app("/vault/secrets/db", name="other")).running()
    assert pod.read("app", "/vault/secrets/db") == "me:first"
    assert "map[password:first user:me]" in pod.read("app", "/vault/secrets/plain")
    mounts = [line.split() for line in pod.read("app", "/proc/mounts").splitlines()]
    mount = next(m for m in mounts if m[1] == "/vault/secrets")
    assert mount[2] == "tmpfs" and "ro" in mount[3].split(",")
    assert "Read-only" in pod.exec("app", "/bin/busybox", "touch", "/vault/secrets/x").stderr
    pod.says("app", "has me:first")
    pod.says("other", "cannot-read No such file")
    assert "No such file" in pod.exec("other", "/bin/busybox", "ls", "/vault").stderr


# --- 2: a rotation ends when the application has read it


@step
def test_rotation(world):
    """2  a rotation: signalled, read again; one that ignores it is reported"""
    world.secret("two", password="first")
    pod = world.pod("two", {
        "secret-db": "kv/data/two#password", "interval-db": "1s", "unread-after-db": "15s",
        "notify-db": "signal:HUP@reads,signal:HUP@deaf"},
        app("/vault/secrets/db", name="reads", **user(1000)),
        app("/vault/secrets/db", "--deaf", name="deaf", **user(1000))).running()
    pod.says("reads", "has first")
    pod.says("deaf", "has first")
    world.secret("two", password="second")
    pod.says("reads", "signalled HUP")
    pod.says("reads", "has second")
    pod.says("deaf", "ignores HUP")
    version = "vault:kv/data/two@2"
    pod.event("read", container="reads", secrets=version)
    pod.event("unread", container="deaf", secrets=version)
    assert not pod.events("unread", container="reads")
    assert not pod.events("read", container="deaf", secrets=version)
    files = {f["container"]: f for f in pod.status()["files"]}
    assert files["reads"]["read"] == "yes" and files["deaf"]["read"] == "overdue"
    assert pod.text("deaf", "db") == "second"


# --- 3, 4: dynamic credentials


def credentials(world, role):
    """How many of a role the database knows now."""
    return int(world.pg.sql(f"select count(*) from pg_roles where rolname like '%-{role}-%'"))


def client(world, command):
    """A line of shell that logs in to the database with the file's credential."""
    return f"""read -r user PGPASSWORD </vault/secrets/db; export PGPASSWORD
/bin/psql -h 127.0.0.1 -p {world.pg.port} -U "$user" -d postgres -Atc '{command}'"""


@step
def test_database(world):
    """3  database credentials: renewed, replaced at their maximum, no query failed"""
    world.pg.role(world.bao, "looped", "60s", max_ttl="120s")
    loop = (f"while :; do {{ {client(world, 'select 1')}; }} >/dev/null && echo ok $user || "
            "echo FAILED $user; /bin/busybox sleep 0.2; done")
    pod = world.pod("three", {"template-db": DB % "looped"}, shell(loop), hostNetwork=True)
    pod.running()
    assert credentials(world, "looped") == 1
    pod.event("renew", limit=120)

    def users(_):
        seen = dict.fromkeys(line.split()[1] for _, line in pod.lines("app") if "ok " in line)
        return len(seen) > 1 and list(seen)
    old, new = pod.until("the second credential is used", users, 240)[:2]
    until("the first one has ended", lambda: world.pg.sql(
        f"select count(*) from pg_roles where rolname = '{old}'") == "0", 240)
    told = len(pod.lines("app"))
    pod.until("queries go on", lambda _: f"ok {new}" in str(pod.lines("app")[told:]))
    assert not [line for _, line in pod.lines("app") if "FAILED" in line]


@step
def test_job(world):
    """4  a job completes, and gives its lease and its token back"""
    world.pg.role(world.bao, "worked", "1h")
    world.role("job", ("database/creds/worked", "read"))
    world.apply("/apis/batch/v1/namespaces/shop/jobs", {
        "metadata": {"name": "job"},
        "spec": {"template": {
            "metadata": {"annotations": {"ampoule.dev/inject": "true", "ampoule.dev/role": "job",
                                         "ampoule.dev/template-db": DB % "worked"}},
            "spec": {"restartPolicy": "Never", "hostNetwork": True,
                     "containers": [shell(client(world, "select 1"))]}}}})
    until("the job succeeds", lambda: world.kube.get(
        "/apis/batch/v1/namespaces/shop/jobs/job").document["status"].get("succeeded") == 1)
    until("its credential is revoked", lambda: credentials(world, "worked") == 0)
    until("its token is revoked", lambda: not world.bao.tokens("job"))


@step
def test_pair(world):
    """4  init container and sidecar: one login to each of two stores, one credential"""
    world.pg.role(world.bao, "paired", "1h")
    world.secret("four", value="here")
    world.role("pair", ("database/creds/paired", "read"), ("kv/data/four", "read"))
    pod = world.pod("pair", {"mode": "pair", "role": "pair", "template-db": DB % "paired",
                             "revoke-on-shutdown": "true", "revoke-grace": "1",
                             "stores": "second", "secret-x": "second:kv/data/four#value"},
                    app("/vault/secrets/db")).running()
    assert {c["name"] for c in pod.get()["spec"]["initContainers"]} == {"vault-agent-init"}
    pod.says("vault-agent", "every file is in place")
    assert credentials(world, "paired") == 1
    name, password = pod.read("app", "/vault/secrets/db").split()
    assert world.pg.can_log_in(name, password)
    assert pod.read("app", "/vault/secrets/x") == "here"
    pod.delete()
    until("its pod has ended", lambda: world.kube.get(pod.path).status == 404)
    world.pods.remove(pod)
    assert world.logins("pair") == {"kubernetes": 1, "second": 1}
    assert credentials(world, "paired") == 0


@step
def test_first(world):
    """4  mode first: its files are there before the application, kubectl means that one"""
    world.secret("front", password="first")
    pod = world.pod("front", {"mode": "first", "secret-db": "kv/data/front#password",
                              "interval-db": "1s", "notify-db": "signal:HUP@app"},
                    app("/vault/secrets/db", **user(1000))).running()
    assert [c["name"] for c in pod.get()["spec"]["containers"]] == ["vault-agent", "app"]
    assert "initContainers" not in pod.get()["spec"]
    pod.says("app", "has first")
    assert "has first" in pod.lines("app")[0][1]  # at its first look
    assert "has first" in world.kube.kubectl("logs", "-n", "shop", "front").stdout
    os.kill(pod.pids("vault-agent")[0], signal.SIGKILL)
    world.secret("front", password="second")
    pod.says("app", "has second")
    assert pod.container("app")["restartCount"] == 0
    refused = world.kube.create_pod("shop", {
        "metadata": {"name": "ends", "annotations": {
            "ampoule.dev/inject": "true", "ampoule.dev/mode": "first",
            "ampoule.dev/secret-db": "kv/data/front"}},
        "spec": {"restartPolicy": "Never", "containers": [app("/vault/secrets/db")]}})
    assert refused.status != 201 and "use native" in refused.message, refused.message


@step
def test_environment(world):
    """4  mode exec: an image that takes environment variables only"""
    world.pg.role(world.bao, "envs", "1h")
    sql = ["-c", "select 'works as ' || current_user", "-c", "select pg_sleep(86400)"]
    pod = world.pod("environment", {
        "mode": "exec", "env-PGUSER": "database/creds/envs#username",
        "env-PGPASSWORD": "database/creds/envs#password"},
        app(image="psql", command=["/bin/psql", "-h", "127.0.0.1", "-p", str(world.pg.port), "-d",
                                   "postgres", "-At", *sql], args=[]), hostNetwork=True)
    pod.running()
    pod.says("app", "works as v-")
    assert credentials(world, "envs") == 1
    assert "PGPASSWORD" not in json.dumps(pod.get()["spec"]["containers"][0].get("env", []))


# --- 5: the agent dies


def begun(pid):
    """When the process was started, as time.time()."""
    ticks = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return (time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
            + ticks / os.sysconf("SC_CLK_TCK"))


def dies(world, name, kill):
    """The agent of a pod ends by kill(pod), and never sees how its secret changed before.
    Gives its last state, and what was measured.

    Its container's start is what containerd notes to the nanosecond, or the agent's first line,
    whichever is earlier; its end the line that says that the new version is published. Two
    seconds are asserted of it where no more than two threads want each processor meanwhile, and
    always of the agent's own part: without the time from its requests to the store's answer,
    which is the store's. The five seconds hold also what containerd and runc take to get from
    the process that they make to the agent's first instruction."""
    world.secret(name, password="first")
    pod = world.pod(name, {"secret-db": "kv/data/%s#password" % name, "interval-db": "1s",
                           "notify-db": "signal:HUP@app"},
                    app("/vault/secrets/db", **user(1000))).running()
    seen, ended, current, busy = set(), threading.Event(), [], []

    def watch():
        while not ended.wait(0.005):
            seen.add(pod.text("app", "db"))
            running = pathlib.Path("/proc/loadavg").read_text().split()[3].split("/")[0]
            busy.append((time.time(), int(running)))
            if "second" in seen and not current:
                current.append(time.time())
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        os.kill(pod.pids("vault-agent")[0], signal.SIGSTOP)
        world.secret(name, password="second")
        stopped = time.time()
        kill(pod)
        pod.until("is restarted", lambda _: pod.agent()["restartCount"] == 1
                  and pod.agent()["state"].get("running"))
        pod.says("app", "has second")
        until("the watcher has seen it", lambda: current)
    finally:
        ended.set()
        watcher.join()
    assert seen == {"first", "second"}  # there at every moment
    whole = current[0] - begun(pod.pids("vault-agent")[0])
    new = [(seconds(e["time"]), e) for e in pod.events() if seconds(e["time"]) > stopped]
    start = min(new[0][0], pod.started("vault-agent"))
    asks = next(at for at, e in new if e["msg"] == "every file is in place")
    answer = next(at for at, e in new if e["msg"] == "fetch" and e["version"] == "2")
    done = next(at for at, e in new
                if e["msg"] == "publish" and e["secrets"] == f"vault:kv/data/{name}@2")
    took, own = done - start, min(asks, answer) - start + done - answer
    meanwhile = [n for at, n in busy if start <= at <= done]
    idle = meanwhile and sum(meanwhile) <= 2 * os.cpu_count() * len(meanwhile)
    assert own < 2 and took < (2 if idle else 5) and whole < 5, \
        f"{own} s, {took} s, {whole} s, {meanwhile}\n{pod.report()}"
    assert pod.container("app")["restartCount"] == 0
    return (pod.agent()["lastState"]["terminated"],
            f"current {took:.2f} s after its container's start, {own:.2f} s of it the agent's; "
            f"{whole:.1f} s with runc's part")


@step
def test_killed(world):
    """5  kill -9 of the agent: restarted, files stay, current within 2 s"""
    last, told = dies(world, "killed", lambda pod: os.kill(pod.pids("vault-agent")[0], signal.SIGKILL))
    assert last["exitCode"] == 137
    return told


@step
def test_out_of_memory(world):
    """5  the kernel's out-of-memory kill: the same"""
    def fill(pod):
        agent, = pod.pids("vault-agent")
        watched = os.pidfd_open(agent)
        # Pages of a file that somebody in the agent's cgroup writes: nobody else can be killed
        # for them with profit.
        pathlib.Path(f"/proc/{agent}/oom_score_adj").write_text("1000")
        hog = subprocess.Popen(
            ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec dd if=/dev/zero of=/run/hog bs=64k',
             str(pod.cgroup("vault-agent"))], stderr=subprocess.DEVNULL)
        try:
            assert select.select([watched], [], [], 60)[0]
        finally:
            os.close(watched)
            hog.kill()
            hog.wait()
            os.unlink("/run/hog")
    last, told = dies(world, "hungry", fill)
    assert last["reason"] == "OOMKilled"
    return told


# --- 6: what is gone, and what is only refused


@step
def test_gone(world):
    """6  deleted in the store: removed and told, or kept; refused: nothing is removed"""
    for name in ("gone", "kept", "refused"):
        world.secret(name, value="first")
    rules = [(f"kv/data/{n}", "read") for n in ("gone", "kept", "refused")]
    looks = [("kv/metadata/*", "read")]
    world.role("six", *rules, *looks)
    pod = world.pod("six", {
        "role": "six", **{f"secret-{n}": f"kv/data/{n}#value" for n in ("gone", "kept", "refused")},
        **{f"interval-{n}": "1s" for n in ("gone", "kept", "refused")},
        "on-revoked-kept": "keep", "notify-gone": "signal:HUP@app"},
        app("/vault/secrets/gone", **user(1000))).running()
    pod.says("app", "has first")
    world.role("six", *rules[:2], *looks)
    world.bao.delete("kv/data/gone")
    world.bao.delete("kv/data/kept")
    pod.says("app", "cannot-read No such file")
    pod.event("remove", file="/vault/secrets/gone")
    pod.event("gone", secret="vault:kv/data/kept")
    pod.event("error", op="fetch", secret="vault:kv/data/refused", kind="denied")
    assert pod.text("app", "gone") is None
    assert pod.text("app", "kept") == "first" and pod.text("app", "refused") == "first"
    world.role("six", *rules, *looks)
    world.secret("refused", value="second")
    pod.until("the refused one comes again", lambda _: pod.text("app", "refused") == "second")
    for name in ("gone", "kept"):
        world.secret(name, value="again")
    pod.says("app", "has again")
    pod.until("the kept one is new", lambda _: pod.text("app", "kept") == "again")


# --- 7: Pod Security "restricted"


def closed(uid):
    return {"securityContext": {
        "runAsUser": uid, "runAsNonRoot": True, "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}}


def runs_as(pod, container):
    status = pathlib.Path(f"/proc/{pod.pids(container)[0]}/status").read_text()
    return int(next(x for x in status.splitlines() if x.startswith("Uid:")).split()[1])


@step
def test_restricted(world):
    """7  a restricted namespace: non-root, a signal under the same user, else its own user"""
    for name in ("told", "untold"):
        world.secret(name, value="first")
    told = world.pod("told", {"secret-x": "kv/data/told#value", "interval-x": "1s",
                              "notify-x": "signal:HUP@app"},
                     app("/vault/secrets/x", **closed(1234)), space="tight")
    untold = world.pod("untold", {"secret-x": "kv/data/untold#value", "interval-x": "1s"},
                       app("/vault/secrets/x", **closed(1234)), space="tight")
    for pod in (told.running(), untold.running()):
        pod.says("app", "has first")
    assert runs_as(told, "vault-agent") == runs_as(told, "app") == 1234
    assert runs_as(untold, "vault-agent") == 100 and runs_as(untold, "app") == 1234
    for pod in (told, untold):
        world.secret(pod.name, value="second")
    told.says("app", "has second")
    untold.until("the file changes", lambda _: untold.text("app", "x") == "second")
    assert untold.read("app", "/vault/secrets/x") == "second"


# --- 8: a store that is away


@step
def test_unreachable(world):
    """8  the store is away: the pod shows why, and starts by itself when it is back"""
    world.secret("eight", value="here")
    there = f"https://{AWAY}:{world.bao.tls_port}"
    pod = world.pod("eight", {"secret-x": "away:kv/data/eight#value", "stores": "away",
                              "wait-timeout": "5s"}, app("/vault/secrets/x"))
    why = pod.until("ended with the reason", lambda _: pod.agent().get("lastState", {}).get(
        "terminated", {}).get("message"))
    assert there in why or AWAY in why, why
    assert not pod.container("app").get("state", {}).get("running")
    address("add")
    pod.running()
    pod.says("app", "has here")


# --- 9: refusals


@step
def test_refused(world):
    """9  kubectl apply shows the reason of a refusal and the remedy; a misspelling warns"""
    def apply(name, **annotations):
        return world.kube.kubectl("apply", "-f", "-", text=json.dumps({
            "apiVersion": "v1", "kind": "Pod", "metadata": {
                "name": name, "namespace": "shop", "annotations": {
                    f"ampoule.dev/{k.replace('_', '-')}": v for k, v in annotations.items()}},
            "spec": {"containers": [app("/vault/secrets/x")]}}))
    done = apply("refused", inject="true", role="web", secret_x="kv/data/one", interval_x="soon")
    assert done.returncode != 0 and "inject.ampoule.dev" in done.stderr
    assert "ampoule.dev/interval-x" in done.stderr and "soon" in done.stderr
    done = apply("refused", inject="true", role="web", secret_x="kv/data/one",
                 service="https://elsewhere.example")
    assert done.returncode != 0 and "allow_override" in done.stderr
    assert world.kube.get("/api/v1/namespaces/shop/pods/refused").status == 404
    done = apply("warned", inject="true", role="web", secret_x="kv/data/one", intervall_x="1s")
    assert done.returncode == 0 and "interval-x" in done.stderr, done.stderr


def secret_in_environment(name):
    return {"metadata": {"name": name, "namespace": STRICT, "labels": {"app": name}},
            "spec": {"containers": [app("/none", env=[{"name": "DB", "valueFrom": {
                "secretKeyRef": {"name": "db", "key": "password"}}}])]}}


@step
def test_policy(world):
    """9  a policy of the security team: kubectl apply shows its name, the field, the remedy"""
    def apply(**document):
        return world.kube.kubectl("apply", "-f", "-", text=json.dumps(document))
    pod = secret_in_environment("refused")
    done = apply(apiVersion="v1", kind="Pod", **pod)
    assert done.returncode != 0 and "policy 'house' (forbid.env_secrets)" in done.stderr
    assert "spec.containers[app].env[DB]" in done.stderr
    assert "ampoule.dev/secret-" in done.stderr, done.stderr
    pods = f"/api/v1/namespaces/{STRICT}/pods"
    assert not world.kube.get(pods).document["items"]
    done = apply(apiVersion="apps/v1", kind="Deployment", **{
        "metadata": pod["metadata"], "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": "refused"}}, "template": pod}})
    assert done.returncode == 0 and "Warning: policy 'house'" in done.stderr, done.stderr
    assert "spec.containers[app].env[DB]" in done.stderr, done.stderr
    path = f"/apis/apps/v1/namespaces/{STRICT}/deployments/refused"
    until("the Deployment says why it has no pod", lambda: "policy 'house'" in json.dumps(
        world.kube.get(path).document["status"].get("conditions")))
    assert not world.kube.get(pods).document["items"]
    world.kube.delete(path)


# --- 9: the node


def test_node_restart(started, world, request):
    """9  the node restarts: every pod comes back with its secrets"""
    begin = time.monotonic()
    pods = [p for p in world.pods if p.get()["status"]["phase"] == "Running"]
    before = {p.name: count(p) for p in pods}
    if "test_rotation" in {i.name for i in request.session.items}:
        rotates_without_a_kubelet(world, next(p for p in pods if p.name == "two"))
    world.kube.start_node()
    for pod in pods:
        pod.running()
    assert {p.name: count(p) for p in pods} == before  # nothing was started again
    middle = time.monotonic()
    print(f"\n  9  kubelet and containerd restart, what runs goes on: {middle - begin:.1f} s",
          end="")
    files = {p.name: sorted(f["file"] for f in p.status()["files"]) for p in pods}
    world.kube.reboot()
    for pod in pods:
        pod.until("was started again", lambda _, p=pod: count(p) > before[p.name])
        pod.running(180)
    until("the webhook's pods are ready", lambda: world.kube.get(
        f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/ampoule-webhook").document["status"].get(
            "readyReplicas") == 2)
    for pod in pods:
        assert sorted(f["file"] for f in pod.status()["files"]
                      if f["state"] == "published") == files[pod.name]
    print(f"\n  9  the node's power fails, {len(pods)} pods come back with their secrets: "
          f"{time.monotonic() - middle:.1f} s")


def count(pod):
    status = pod.get()["status"]
    return sum(c["restartCount"] for kind in ("containerStatuses", "initContainerStatuses")
               for c in status.get(kind, []))


def rotates_without_a_kubelet(world, pod):
    world.kube.stop_node()
    world.secret("two", password="third")
    until("a rotation without a kubelet", lambda: pod.text("reads", "db") == "third")


