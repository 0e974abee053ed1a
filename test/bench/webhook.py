# SPDX-License-Identifier: Apache-2.0
"""Requests a second, p50, p99, CPU time a request and memory of ampoule-webhook (both builds),
with the full work, beside a Go net/http webhook that only decodes and answers with a constant
patch; and with 100 policies of 10 rules each. Server on one core, client on another. CPU time a
request is the sturdy number; the rest carries the neighbours' noise.

usage: webhook.sh [REQUESTS]   (20,000 a line; fewer for a quick look)
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/system"))
os.environ.setdefault("AMPOULE_BIN", str(ROOT / "build/bin"))
import bao  # noqa: E402

GO = str(ROOT / "build/bench/webhook")
REQUESTS = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
CONNECTIONS = (1, 8, 64)
ROUNDS = 7
TICK_US = 1000000 // os.sysconf("SC_CLK_TCK")
CORES = sorted(os.sched_getaffinity(0))
BUILDS = (("OpenSSL", "build/bin"), ("static mbedTLS", "build/static"))

# Pods of different applications, so that nothing that was seen once answers for the next.
PODS = 500


def review(annotations, size, number=0):
    pod = {"apiVersion": "v1", "kind": "Pod",
           "metadata": {"generateName": f"web-{number:03d}-", "namespace": "shop",
                        "labels": {"app": "web"}, "annotations": {
               k: v.replace("kv/data/", f"kv/data/app-{number:03d}/")
               for k, v in annotations.items()}},
           "spec": {"serviceAccountName": "default", "containers": [
               {"name": "app", "image": "registry.example/app:1",
                "ports": [{"containerPort": 8080, "protocol": "TCP"}],
                "env": [{"name": f"VALUE_{i}", "value": "x" * 20} for i in range(12)],
                "volumeMounts": [{
                    "name": "kube-api-access-abcde", "readOnly": True,
                    "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]}],
               "volumes": [{"name": "kube-api-access-abcde",
                            "projected": {"sources": [{"serviceAccountToken": {
                                "expirationSeconds": 3607, "path": "token"}}]}}]}}
    document = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                "request": {"uid": f"8f8b1e7e-2f6e-4f3c-8f0a-2d9d6f6f{number:04d}",
                            "kind": {"group": "", "version": "v1", "kind": "Pod"},
                            "namespace": "shop", "operation": "CREATE", "object": pod}}
    lack = size - len(json.dumps(document))
    for i in range(max(0, lack // 400)):
        pod["metadata"]["annotations"][f"example.org/note-{i}"] = "y" * 370
    return json.dumps(document).encode()


ASKS = {"ampoule.dev/inject": "true", "ampoule.dev/role": "web",
        "ampoule.dev/secret-db": "kv/data/db#password",
        "ampoule.dev/secret-conf": "kv/data/conf | env"}
BODIES = {title: b"\n".join(review(asks, size, i) for i in range(PODS))
          for title, asks, size in (("5 KB, two secrets", ASKS, 5000), ("20 KB", ASKS, 20000),
                                    ("5 KB, not asked", {}, 5000))}


def start(argv):
    process = subprocess.Popen(["taskset", "-c", str(CORES[0]), *argv], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for line in process.stdout:
        if line.startswith("port "):
            return process, int(line.split()[1])
        if '"serving"' in line:
            return process, json.loads(line)["port"]
    raise RuntimeError(f"{argv[0]} did not start")


def cpu_us(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * TICK_US


def memory_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])


def load(port, ca, body, connections, requests, fresh):
    argv = ["taskset", "-c", str(CORES[-1]), GO, "load", f"https://127.0.0.1:{port}/mutate", ca,
            body, str(connections), str(requests), "fresh" if fresh else "keep"]
    return json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)


def measure(name, argv, folder, ca):
    process, port = start(argv)
    drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
    try:
        idle = memory_kib(process.pid)
        for title, body in BODIES.items():
            path = folder / "bodies.json"
            path.write_bytes(body)
            for connections, fresh in [(c, False) for c in CONNECTIONS] + [(8, True)]:
                n = REQUESTS // 10 if fresh else REQUESTS
                before = cpu_us(process.pid)
                r = load(port, ca, str(path), connections, n, fresh)
                each = (cpu_us(process.pid) - before) / max(1, r["requests"])
                print(f"| {name} | {title} | {connections}{' fresh' if fresh else ''} | "
                      f"{r['per_second']:.0f} | {r['p50_us'] / 1000:.2f} | "
                      f"{r['p99_us'] / 1000:.2f} | {each:.0f} | {r['bad']} |", flush=True)
        print(f"| {name} | memory KiB | idle {idle} | after {memory_kib(process.pid)} | | | | |")
    finally:
        process.kill()
        process.wait()
        drain.wait()


# Ten rules, which a pod of BODIES pleases: what policies cost when nothing is refused.
POLICY = """policy "team-%(n)d" {
  match   { namespaces = ["%(namespace)s"] }
  allow   { stores = ["vault"]  paths = ["vault:kv/data/**"]  roles = ["w*"] }
  deny    { paths = ["vault:kv/data/other-%(n)d/**"]  functions = ["plugin"] }
  limits  { min_interval = "10s"  max_files = 20 }
  forbid  { env_secrets = true  host_paths = true  secret_volumes = true }
}
"""


def with_policies(folder, settings, title, each):
    """The same settings and 100 policies of 10 rules."""
    policies = folder / title
    policies.mkdir()
    for n in range(100):
        (policies / f"{n}.hcl").write_text(POLICY % {"n": n, "namespace": each(n)})
    file = folder / f"{title}.hcl"
    file.write_text(settings.read_text() + f'policies = "{policies}"\n')
    return file


def in_turns(commands, connections, requests, folder, ca):
    """CPU time a request of each server in turns, so that a neighbour disturbs each alike: the
    least and the median of ROUNDS, and the least as a ratio of the first's."""
    servers = [(title, *start(argv)) for title, argv in commands]
    drains = [subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
              for _, process, _ in servers]
    body = folder / "bodies.json"
    body.write_bytes(BODIES["5 KB, two secrets"])
    each = {title: [] for title, _, _ in servers}
    try:
        for _ in range(ROUNDS):
            for title, process, port in servers:
                before = cpu_us(process.pid)
                r = load(port, ca, str(body), connections, requests, False)
                each[title].append((cpu_us(process.pid) - before) / max(1, r["requests"]))
        usual = min(each[servers[0][0]])
        for title, all_of_it in each.items():
            print(f"| {title} | {connections} | {min(all_of_it):.0f} | "
                  f"{statistics.median(all_of_it):.0f} | {min(all_of_it) / usual:.2f} |",
                  flush=True)
    finally:
        for (_, process, _), drain in zip(servers, drains):
            process.kill()
            process.wait()
            drain.wait()


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ampoule-bench-"))
    authority = bao.Authority(folder / "ca")
    cert, key = authority.issue("webhook", "IP:127.0.0.1")
    settings = folder / "webhook.hcl"
    settings.write_text(f'listen = "127.0.0.1:0"\ntls_cert_file = "{cert}"\n'
                        f'tls_key_file = "{key}"\n'
                        'annotations { service = "https://bao.example:8200" }\n')
    configurations = {
        "": settings,
        ", 100 policies, 5 are for it": with_policies(
            folder, settings, "few", lambda n: "shop" if n % 20 == 0 else f"team-{n}-*"),
        ", 100 policies, all are for it": with_policies(folder, settings, "all",
                                                        lambda n: "sh*")}
    builds = [(name, str(ROOT / where / "ampoule-webhook")) for name, where in BUILDS
              if (ROOT / where / "ampoule-webhook").exists()]

    def command(program, file):
        return [program, "--config", str(file), "--log-format", "json"]

    go = ("Go net/http", [GO, "serve", cert, key])
    print("| in turns, 5 KB | connections | CPU µs, least | median | ratio |\n|---|---|---|---|---|")
    for connections in CONNECTIONS:
        in_turns([*((name, command(program, settings)) for name, program in builds), go],
                 connections, REQUESTS // 4, folder, authority.cert)
    for name, program in builds:
        in_turns([(name + title, command(program, file))
                  for title, file in configurations.items()], 64, REQUESTS, folder, authority.cert)
    print("\n| server | review | connections | requests/s | p50 ms | p99 ms | CPU µs | bad |")
    print("|---|---|---|---|---|---|---|---|")
    for name, program in builds:
        for title, file in configurations.items():
            measure(name + title, command(program, file), folder, authority.cert)
    measure(*go, folder, authority.cert)


main()
