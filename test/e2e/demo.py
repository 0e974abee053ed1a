# SPDX-License-Identifier: Apache-2.0
"""The cluster of the tests with a sample application, until the room ends. When all is there
the file `next` says what to type; kubectl and bao in `bin` work from outside."""
import os
import pathlib
import signal
import sys

HERE = pathlib.Path(__file__).parent
for folder in (HERE.parent / "system", HERE.parent / "kube", HERE):
    sys.path.insert(0, str(folder))

import bao  # noqa: E402
from world import World, address, until  # noqa: E402

WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations:
        ampoule.dev/inject: "true"
        ampoule.dev/role: web
        ampoule.dev/secret-db: kv/data/web#password    # the file /vault/secrets/db
        ampoule.dev/interval-db: 2s
        ampoule.dev/notify-db: signal:HUP@web
        ampoule.dev/unread-after-db: 10s
        ampoule.dev/log-format: text
    spec:
      securityContext: {runAsUser: 1000}
      containers:
        - {name: web, image: "localhost/app:test", args: [/vault/secrets/db]}
"""

NEXT = """
A Kubernetes of one node is running, with Ampoule, OpenBao and a sample application `web` that
prints what it reads and reads again on SIGHUP ({work}/web.yaml). Type next:

  PATH=$PWD/{work}/bin:$PATH

  kubectl get pods -A
  kubectl -n shop logs deploy/web -c web                   # has first
  bao kv put kv/web password=second
  kubectl -n shop logs -f deploy/web -c web                # signalled HUP, has second
  kubectl -n shop logs deploy/web -c vault-agent           # login, fetch, publish, signal, read
  kubectl -n shop exec deploy/web -c vault-agent -- /bin/ampoule status --socket /home/vault/ampoule.sock
  sed 's/interval-db: 2s/interval-db: soon/; s/name: web,/name: wrong,/' {work}/web.yaml | kubectl apply -f -
  kubectl -n shop get events                               # pods refused, and why

  make demo-kube-down                                      # stops all; nothing is left
"""


def command(path, program, **env):
    """A script that runs a program in the room, from outside of it and as root."""
    words = "".join(f"{k}='{v}' " for k, v in env.items())
    path.write_text(f"""#!/bin/sh
first=$(cat "$(dirname "$0")/../room")
exec nsenter --target "$first" --net --mount --wdns="$PWD" env {words}{program} "$@"
""")
    path.chmod(0o755)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    work = pathlib.Path(os.environ["E2E_WORK"])
    with World(work) as world:
        address("add")
        world.secret("web", password="first")
        (work / "web.yaml").write_text(WEB)
        done = world.kube.kubectl("apply", "-f", str(work / "web.yaml"))
        assert done.returncode == 0, done.stderr
        until("the application runs", lambda: world.kube.get(
            "/apis/apps/v1/namespaces/shop/deployments/web").document["status"].get(
                "readyReplicas") == 2)
        (work / "bin").mkdir()
        command(work / "bin/kubectl", f"{world.kube.bin}/kubectl", KUBECONFIG=world.kube.kubeconfig)
        command(work / "bin/bao", bao.binary(), BAO_ADDR=world.bao.http, BAO_TOKEN=world.bao.root)
        fresh = work / ".next"
        fresh.write_text(NEXT.format(work=os.path.relpath(work)))
        fresh.rename(work / "next")
        while True:
            signal.pause()


if __name__ == "__main__":
    main()
