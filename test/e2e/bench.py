# SPDX-License-Identifier: Apache-2.0
"""What an agent costs a pod: the time from the pod's creation until its application runs,
without injection, with each way of waiting for the files, and with what the peers' injectors
make (an ordinary init container and a sidecar, here both of a program that does nothing); and the
memory of the agent's own cgroup. Pods of all kinds are made in turns, one at a time, each at a
random moment of the second in which the kubelet looks at its containers once.
usage: bench.py [PODS OF EACH KIND]"""
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
for folder in (HERE.parent / "system", HERE.parent / "kube", HERE):
    sys.path.insert(0, str(folder))

from agent_run import TOOL  # noqa: E402
from world import POLICY, Pod, World, until  # noqa: E402

KINDS = {"without": "without injection", "first": "with, mode first",
         "hook": "with, postStart hook", "probe": "with, startup probe",
         "peer": "an init container and a sidecar that do nothing"}
OURS = ("first", "hook", "probe")
REST_S = 3  # the agent gives pages back two seconds after its last work


def hooked(world, pod):
    """The pod as a webhook with gate_by_probe = false makes it. The cluster's own one, which
    would add its probe, is not asked."""
    settings = world.folder / "hook.hcl"
    config = json.loads((world.folder / "install/config.yaml").read_text())["data"]["webhook.hcl"]
    rules = world.folder / "policies"
    rules.mkdir(exist_ok=True)
    (rules / "policies.hcl").write_text(POLICY)
    settings.write_text(config.replace("gate_by_probe  = true", "gate_by_probe  = false")
                        .replace("/etc/ampoule/policies", str(rules)))
    done = subprocess.run([TOOL, "inject", "--config", str(settings), "-f", "-"], check=True,
                          input=json.dumps(pod), stdout=subprocess.PIPE, text=True)
    made = json.loads(world.kube.kubectl("create", "--dry-run=client", "-o", "json", "-f", "-",
                                         text=done.stdout).stdout)
    del made["metadata"]["annotations"]["ampoule.dev/inject"]
    return made


def manifest(world, kind, name):
    """The pod that is sent."""
    meta = {"name": name, "namespace": "shop"}
    image = "localhost/app:test"
    spec = {"terminationGracePeriodSeconds": 1, "containers": [
        {"name": "app", "image": image, "args": ["/vault/secrets/db"]}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
    if kind in OURS:
        meta["annotations"] = {"ampoule.dev/inject": "true", "ampoule.dev/role": "web",
                               "ampoule.dev/secret-db": "kv/data/bench#value"}
    if kind == "first":
        meta["annotations"]["ampoule.dev/mode"] = "first"
    if kind == "peer":
        more = {"image": image, "volumeMounts": [{"name": "m", "mountPath": "/m"}]}
        spec["volumes"] = [{"name": "m", "emptyDir": {"medium": "Memory"}}]
        spec["initContainers"] = [{"name": "i", "command": ["/bin/busybox", "true"], **more}]
        spec["containers"].append(
            {"name": "s", "command": ["/bin/busybox", "sleep", "9999"], **more})
    return hooked(world, pod) if kind == "hook" else pod


def one(world, kind, number):
    """(seconds until the application runs, the agent's memory or None)"""
    body = manifest(world, kind, f"{kind}-{number}")
    time.sleep(random.random())
    begin = time.time()
    answer = world.kube.create_pod("shop", body)
    assert answer.status == 201, answer.message
    pod = Pod(world, "shop", body["metadata"]["name"])
    wanted = "has here" if kind in OURS else "cannot-read"
    pod.says("app", wanted)
    took = float(next(x for _, x in pod.lines("app") if wanted in x).split()[0]) - begin
    memory = None
    if kind in OURS:
        time.sleep(REST_S)
        memory = dict(zip(("charged", "anonymous"), pod.memory("vault-agent")))
    pod.delete()
    until("the pod is gone", lambda: world.kube.get(pod.path).status == 404)
    return took, memory


def spread(values, form):
    return " / ".join(form % v for v in (min(values), statistics.median(values), max(values)))


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with World(os.environ["E2E_WORK"]) as world:
        world.secret("bench", value="here")
        for kind in KINDS:
            one(world, kind, "warm")
        found, loads = {kind: [] for kind in KINDS}, []
        for number in range(count):
            for kind, results in found.items():
                results.append(one(world, kind, number))
                loads.append(os.getloadavg()[0])
    print(f"| n = {count}, min / median / max | |\n|---|---|")
    for kind, title in KINDS.items():
        print(f"| pod start, {title}: s | {spread([t for t, _ in found[kind]], '%.2f')} |")
    memory = [m for k in OURS for _, m in found[k]]
    for key, title in (("charged", "all that is charged"), ("anonymous", "anonymous pages")):
        print(f"| the agent's cgroup at rest, {title}: MiB | "
              f"{spread([m[key] / 2 ** 20 for m in memory], '%.2f')} |")
    print(f"load of the machine meanwhile: {spread(loads, '%.1f')}")


if __name__ == "__main__":
    main()
