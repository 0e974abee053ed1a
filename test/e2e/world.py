# SPDX-License-Identifier: Apache-2.0
"""What the steps share: a cluster with Ampoule installed, a real OpenBao that trusts the
cluster's tokens, a real PostgreSQL behind it; and what a person does with them: apply a pod, look
at its files, read the agent's log."""
import concurrent.futures
import datetime
import glob
import json
import os
import pathlib
import re
import shutil
import subprocess

import bao as bao_server
import images
import postgres
from cluster import API, LIMIT_S, NODE, Cluster, groups, unified, until

SYSTEM = "ampoule-system"
AWAY = "10.88.8.9"  # an address of the store that is taken away and put back
SPACES = ("shop", "tight")
POD_S = 180  # until a pod runs, on a busy machine

SETTINGS = """
self_signed {{ settle = "2s" }}
kubernetes {{ server = "https://{API}" }}
metrics_listen = "[::]:9402"
policies       = "/etc/ampoule/policies"
image          = "localhost/ampoule:test"
gate_by_probe  = true
annotations {{
  service    = "https://{NODE}:{port}"
  tls-secret = "store-ca"
  ca-cert    = "/vault/tls/ca.crt"
  log-format = "json"
}}
store "away" {{
  type    = "vault"
  address = "https://{AWAY}:{port}"
  ca_cert = "/vault/tls/ca.crt"
  auth "kubernetes" {{ mount_path = "auth/kubernetes" }}
}}
store "second" {{
  type    = "vault"
  address = "https://{NODE}:{port}"
  ca_cert = "/vault/tls/ca.crt"
  auth "kubernetes" {{ mount_path = "auth/second" }}
}}
"""

# Of the security team, for the namespace STRICT.
POLICY = """
policy "house" {
  match  { namespaces = ["strict"] }
  forbid { env_secrets = true }
}
"""
STRICT = "strict"
LOGINS = ("kubernetes", "second")  # mounts: a login of its own for each store


class World:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority = bao_server.Authority(self.folder / "ca")
        self.kube = Cluster(self.folder / "kube")
        self.bao = bao_server.Bao(self.folder / "bao", authority=self.authority,
                                  addresses=(NODE, AWAY), audited=True)
        self.pg = postgres.Postgres()
        self.pods = []
        # They live as long as the world: a server ends with the thread that has started it.
        self.threads = concurrent.futures.ThreadPoolExecutor(8)

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        others = [self.threads.submit(f) for f in (self.pg.__enter__, self.bao.start)]
        self.kube.start()
        for archive in images.make(self.folder, self.kube.bin):
            self.kube.load(archive)
        for one in others:
            one.result()
        self._store()
        self._install()

    def __exit__(self, *_):
        if os.path.isdir("/var/log/pods"):  # else the node has not started
            shutil.copytree("/var/log/pods", self.folder / "pods", dirs_exist_ok=True)
        self.kube.stop()
        self.bao.stop()
        self.pg.__exit__()

    # --- the store

    def _store(self):
        kube, bao = self.kube, self.bao
        kube.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
            "metadata": {"name": "store-reviewer"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                        "name": "system:auth-delegator"},
            "subjects": [{"kind": "ServiceAccount", "name": "store",
                          "namespace": "kube-public"}]})
        kube.create("/api/v1/namespaces/kube-public/serviceaccounts",
                    {"metadata": {"name": "store"}})
        for mount in LOGINS:
            bao.auth(mount, "kubernetes")
            bao.put(f"auth/{mount}/config", {
                "kubernetes_host": f"https://{API}",
                "kubernetes_ca_cert": pathlib.Path(kube.ca.cert).read_text(),
                "token_reviewer_jwt": kube.account_token("kube-public", "store")})
        bao.kv2("kv")
        self.pg.connect(bao)
        self.role("web", ("kv/data/*", "read"), ("kv/metadata/*", "read"),
                  ("database/creds/*", "read"))

    def role(self, name, *rules):
        """A policy, and a login of any account of the test's namespaces that gets it."""
        self.bao.policy(name, *rules)
        for mount in LOGINS:
            self.bao.put(f"auth/{mount}/role/{name}", {
                "bound_service_account_names": "*", "token_policies": [name],
                "bound_service_account_namespaces": ",".join(SPACES), "token_ttl": "1h"})

    def logins(self, role):
        """How often each store was logged in to with the role, as its audit log says."""
        return {m: len([e for e in self.bao.answered(f"auth/{m}/login")
                        if e.get("auth", {}).get("metadata", {}).get("role") == role])
                for m in LOGINS}

    def secret(self, path, **data):
        self.bao.put(f"kv/data/{path}", {"data": data})

    # --- the installation

    def _install(self):
        """manifests/base, as a user would: an overlay with the image's tag and a configuration.
        The webhook makes its certificate itself."""
        kube = self.kube
        folder = self.folder / "install"
        folder.mkdir()
        base = os.path.relpath(images.ROOT / "manifests/base", folder)
        ca = pathlib.Path(self.authority.cert).read_text()
        self._write(folder / "config.yaml", "ConfigMap", "ampoule-webhook", data={
            "webhook.hcl": SETTINGS.format(API=API, NODE=NODE, AWAY=AWAY,
                                           port=self.bao.tls_port)})
        self._write(folder / "policies.yaml", "ConfigMap", "ampoule-policies",
                    data={"policies.hcl": POLICY})
        (folder / "kustomization.yaml").write_text(json.dumps({
            "resources": [base],
            "images": [{"name": "localhost/ampoule", "newTag": "test"}],
            "patches": [{"path": "config.yaml"}, {"path": "policies.yaml"}]}))
        done = kube.kubectl("apply", "-k", str(folder))
        assert done.returncode == 0, done.stderr
        for name in SPACES:
            labels = {"pod-security.kubernetes.io/enforce": "restricted"} if name == "tight" else {}
            kube.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
            self.apply(f"/api/v1/namespaces/{name}/secrets", {
                "metadata": {"name": "store-ca"}, "stringData": {"ca.crt": ca}})
        kube.create("/api/v1/namespaces", {"metadata": {
            "name": STRICT, "labels": {"ampoule.dev/enforce": "true"}}})
        path = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/ampoule-webhook"
        until("the webhook's pods are ready", lambda: kube.get(path).document["status"].get(
            "readyReplicas") == 2)
        asks = {"metadata": {"name": "probe", "annotations": {
            "ampoule.dev/inject": "true", "ampoule.dev/role": "web",
            "ampoule.dev/secret-a": "kv/data/a"}},
            "spec": {"containers": [{"name": "a", "image": "localhost/app:test"}]}}
        until("the webhook is asked", lambda: "initContainers" in kube.create_pod(
            "shop", asks, dry_run=True).document.get("spec", {}))

    @staticmethod
    def _write(path, kind, name, **fields):
        path.write_text(json.dumps({"apiVersion": "v1", "kind": kind, "metadata": {
            "name": name, "namespace": SYSTEM}, **fields}))

    def apply(self, path, body):
        return self.kube.create(path, body)

    # --- pods

    def pod(self, name, annotations, *containers, space="shop", **spec):
        """Creates a pod; annotations without a prefix are ours."""
        texts = {k if "/" in k else f"ampoule.dev/{k}": v for k, v in annotations.items()}
        if not any(k.endswith("inject") for k in texts):
            texts.update({"ampoule.dev/inject": "true"})
        texts.setdefault("ampoule.dev/role", "web")
        spec.setdefault("terminationGracePeriodSeconds", 5)
        answer = self.kube.create_pod(space, {
            "metadata": {"name": name, "annotations": texts},
            "spec": {"containers": list(containers), **spec}})
        assert answer.status == 201, answer.message
        self.pods.append(Pod(self, space, name))
        return self.pods[-1]


class Pod:
    def __init__(self, world, space, name):
        self.world, self.kube, self.space, self.name = world, world.kube, space, name
        self.path = f"/api/v1/namespaces/{space}/pods/{name}"
        self.uid = self.get()["metadata"]["uid"]

    def get(self):
        answer = self.kube.get(self.path)
        assert answer.status == 200, answer.message
        return answer.document

    def until(self, what, check, limit=POD_S):
        """The first true value of check(pod's document)."""
        try:
            return until(f"{self.name}: {what}", lambda: check(self.get()), limit)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.report()}") from None

    def running(self, limit=POD_S):
        self.until("is ready", lambda p: any(
            c["type"] == "Ready" and c["status"] == "True"
            for c in p["status"].get("conditions", [])), limit)
        return self

    def container(self, name):
        """Its status, or {}."""
        status = self.get()["status"]
        return next((c for kind in ("containerStatuses", "initContainerStatuses")
                     for c in status.get(kind, []) if c["name"] == name), {})

    def agent(self):
        return self.container("vault-agent")

    def exec(self, container, *argv):
        """What a person sees inside a container of the test's images."""
        return self.kube.kubectl("exec", "-n", self.space, self.name, "-c", container, "--",
                                 *argv)

    def read(self, container, path):
        done = self.exec(container, "/bin/busybox", "cat", path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def status(self):
        """The agent's own table of what it holds."""
        def ask(_):
            done = self.exec("vault-agent", "/bin/ampoule", "status", "--json", "--socket",
                             "/home/vault/ampoule.sock")
            return json.loads(done.stdout) if done.returncode == 0 else None
        return self.until("its agent gives its status", ask)

    def file(self, container, name):
        """The path on the node of a file that the container sees in /vault/secrets."""
        return pathlib.Path(f"/var/lib/kubelet/pods/{self.uid}/volumes/kubernetes.io~empty-dir/"
                            f"vault-secrets/{container}/{name}")

    def text(self, container, name):
        """The file's content, or None."""
        try:
            return self.file(container, name).read_text()
        except OSError:
            return None

    def lines(self, container):
        """[(time, line)] of its log, over all of its restarts."""
        found = []
        for path in sorted(glob.glob(f"/var/log/pods/{self.space}_{self.name}_{self.uid}/"
                                     f"{container}/*.log")):
            whole = pathlib.Path(path).read_text(errors="replace").split("\n")[:-1]
            for line in whole:  # the last one may be being written
                stamp, _, _, text = line.split(" ", 3)
                found.append((seconds(stamp), text))
        return found

    def events(self, msg=None, of="vault-agent", **fields):
        """Lines of the agent with this message (None: any) and these fields."""
        found = []
        for at, text in self.lines(of):
            if text.startswith("{"):
                got = json.loads(text)
                if msg in (None, got["msg"]) and all(got.get(k) == v for k, v in fields.items()):
                    found.append({**got, "at": at})
        return found

    def event(self, msg, limit=POD_S, **fields):
        return self.until(f"says {msg} {fields}", lambda _: self.events(msg, **fields), limit)[0]

    def says(self, container, text, limit=POD_S, times=1):
        """Waits until so many lines of its log hold the text; the last one's time."""
        return self.until(f"{container} says {text!r}", lambda _: [
            at for at, line in self.lines(container) if text in line][times - 1:], limit)[-1]

    def pids(self, container):
        """Its processes, as the node sees them."""
        found = self.container(container).get("containerID", "").rpartition("/")[2]
        pattern = str(groups("memory") / "**" / found / "cgroup.procs")
        for path in glob.glob(pattern, recursive=True) if found else ():
            return [int(p) for p in pathlib.Path(path).read_text().split()]
        return []

    def started(self, container):
        """When its container was started last, as time.time(); the API tells whole seconds."""
        found = self.container(container)["containerID"].rpartition("/")[2]
        status = pathlib.Path("/var/lib/containerd/io.containerd.grpc.v1.cri/containers/"
                              f"{found}/status")
        return json.loads(status.read_text())["StartedAt"] / 1e9

    def cgroup(self, container):
        """Its folder in the memory hierarchy."""
        found = self.container(container)["containerID"].rpartition("/")[2]
        return pathlib.Path(glob.glob(str(groups("memory") / "**" / found), recursive=True)[0])

    def memory(self, container):
        """(bytes charged, bytes of anonymous pages) of its cgroup."""
        group = self.cgroup(container)
        stat = dict(x.split() for x in (group / "memory.stat").read_text().splitlines())
        if unified():
            return int((group / "memory.current").read_text()), int(stat["anon"])
        return int((group / "memory.usage_in_bytes").read_text()), int(stat["rss"])

    def delete(self):
        self.kube.delete(f"{self.path}?gracePeriodSeconds=5")

    def report(self):
        """What is worth knowing when a step has failed."""
        said = [self.kube.kubectl("describe", "pod", "-n", self.space, self.name).stdout]
        for folder in sorted(glob.glob(f"/var/log/pods/{self.space}_{self.name}_{self.uid}/*")):
            name = os.path.basename(folder)
            said.append(f"--- {name}\n" + "\n".join(t for _, t in self.lines(name)[-25:]))
        return "\n".join(said)


def seconds(stamp):
    """Of containerd's time, as time.time()."""
    whole = re.sub(r"(\.\d{6})\d*", r"\1", stamp).replace("Z", "+00:00")
    return datetime.datetime.fromisoformat(whole).timestamp()


def kube_bundle(path):
    import kube
    return kube.bundle(path)


def address(verb, text=AWAY):
    """ip address add|del: whether pods reach the store there."""
    subprocess.run(["ip", "address", verb, f"{text}/32", "dev", "lo"], check=True)


__all__ = ["World", "Pod", "until", "address", "seconds", "AWAY", "NODE", "POLICY", "LIMIT_S", "SYSTEM", "STRICT"]
