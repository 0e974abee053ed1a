# SPDX-License-Identifier: Apache-2.0
"""From annotations to files: the API server stores a pod that the webhook has injected; the
agent runs with exactly what stands in that pod (arguments, configuration, hook), logs in to a
real OpenBao with a token that the API server has issued for the pod and reviews itself, and the
files are what the annotations ask for. Only what a kubelet would do is done here: folders for
volumes, the token file, the start."""
import base64
import os
import pathlib
import subprocess

import pytest

import bao as bao_server
from agent_run import AGENT, LIMIT_S, Lines, memory_folder, read, remove_folder, wait_until
from webhook_run import Webhook

PEER = {
    "vault.hashicorp.com/agent-inject": "true",
    "vault.hashicorp.com/role": "web",
    "vault.hashicorp.com/agent-inject-secret-db.txt": "kv/data/db",
    "vault.hashicorp.com/agent-inject-template-db.txt":
        '{{ with secret "kv/data/db" }}{{ .Data.data.user }}:{{ .Data.data.password }}{{ end }}',
    "vault.hashicorp.com/agent-inject-secret-plain": "kv1/plain",
    "vault.hashicorp.com/agent-inject-perms-plain": "0400",
    "vault.hashicorp.com/agent-inject-token": "true",
}
OURS = {
    "ampoule.dev/inject": "true",
    "ampoule.dev/role": "web",
    "ampoule.dev/secret-password": "kv/data/db#password",
    "ampoule.dev/secret-all": "kv/data/db | env",
    "ampoule.dev/file-all": "conf/db.env",
    "ampoule.dev/containers-all": "app",
    "ampoule.dev/interval-password": "1s",
}


@pytest.fixture(name="webhook", scope="module")
def _webhook(kube, authority, store, session_folder):
    settings = f'annotations {{ service = "{store.http}" }}\n'
    with Webhook(session_folder / "agent-webhook", authority, settings, name="w") as server:
        kube.namespace("stored", {"stored": "yes"})
        kube.register("stored", server.client_config(),
                      namespaceSelector={"matchLabels": {"stored": "yes"}})
        wait_until("the registration", lambda: "initContainers" in kube.create_pod(
            "stored", pod("probe", OURS), dry_run=True).document.get("spec", {}), 60)
        yield server
        kube.unregister("stored")


@pytest.fixture(name="store", scope="module")
def _store(kube, session_folder, authority):
    """OpenBao's kubernetes login on the real API server."""
    with bao_server.Bao(session_folder / "store", authority=authority) as server:
        server.kv2("kv")
        server.kv1("kv1")
        server.put("kv/data/db", {"data": {"user": "me", "password": "first"}})
        server.put("kv1/plain", {"key": "value"})
        server.policy("web", ("kv/data/db", "read"), ("kv1/plain", "read"))
        kube.namespace("reviewer")
        kube.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
            "metadata": {"name": "reviewer"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                        "name": "system:auth-delegator"},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "reviewer"}]})
        server.auth("kubernetes", "kubernetes")
        server.put("auth/kubernetes/config", {
            "kubernetes_host": f"https://127.0.0.1:{kube.port}",
            "kubernetes_ca_cert": pathlib.Path(kube.ca.cert).read_text(),
            "token_reviewer_jwt": kube.account_token("reviewer", "default")})
        server.put("auth/kubernetes/role/web", {
            "bound_service_account_names": "default",
            "bound_service_account_namespaces": "stored", "token_policies": ["web"]})
        yield server


def pod(name, annotations):
    return {"metadata": {"name": name, "annotations": annotations},
            "spec": {"containers": [{"name": c, "image": "registry.example/x:1"}
                                    for c in ("app", "side")]}}


class Kubelet:
    """What a kubelet does for the agent's container, in a folder on memory instead of `/`."""

    def __init__(self, kube, stored):
        self.root = memory_folder()
        spec = stored["spec"]
        self.container = next(c for c in spec["initContainers"] if c["name"] == "vault-agent")
        volumes = {v["name"]: v for v in spec["volumes"]}
        self.places = {}
        for mount in self.container["volumeMounts"]:
            folder = f"{self.root}/{mount['name']}"
            os.makedirs(folder)
            self.places[mount["mountPath"]] = folder
            for source in volumes[mount["name"]].get("projected", {}).get("sources", []):
                if "serviceAccountToken" in source:
                    token = kube.account_token(
                        stored["metadata"]["namespace"], "default",
                        pod=stored["metadata"])
                    path = source["serviceAccountToken"]["path"]
                    pathlib.Path(f"{folder}/{path}").write_text(token)
        self.app_mounts = {c["name"]: c["volumeMounts"] for c in spec["containers"]}

    def inside(self, text):
        """Paths of the container as paths of this machine."""
        for path in sorted(self.places, key=len, reverse=True):
            text = text.replace(path, self.places[path])
        return text

    def start(self):
        value = next(v for v in self.container["env"] if v["name"] == "AMPOULE_CONFIG")["value"]
        config = self.inside(base64.b64decode(value).decode())
        self.process = subprocess.Popen(
            [AGENT, *(self.inside(a) for a in self.container["args"])],
            env={"AMPOULE_CONFIG": config}, stderr=subprocess.PIPE, text=True)
        self.lines = Lines(self.process.stderr)
        hook = self.container["lifecycle"]["postStart"]["exec"]["command"]
        assert hook[0] == self.container["command"][0]
        return subprocess.run([AGENT, *(self.inside(a) for a in hook[1:])], timeout=LIMIT_S,
                              capture_output=True, text=True)

    def seen_by(self, container, path):
        """The file on this machine that the container sees at `path`."""
        mount = next(m for m in self.app_mounts[container] if m["name"] == "vault-secrets")
        assert path.startswith(mount["mountPath"] + "/") and mount["readOnly"]
        volume = next(f for p, f in self.places.items() if f.endswith("/vault-secrets"))
        return f"{volume}/{mount['subPath']}{path[len(mount['mountPath']):]}"

    def close(self):
        self.process.kill()
        self.process.wait()
        remove_folder(self.root)


@pytest.fixture(name="run")
def _run(kube, webhook):
    running = []

    def run(name, annotations):
        answer = kube.create_pod("stored", pod(name, annotations))
        assert answer.status == 201, answer.message
        running.append(Kubelet(kube, answer.document))
        done = running[-1].start()
        assert done.returncode == 0, (done.stderr, running[-1].lines.all())
        return running[-1]
    yield run
    for one in running:
        one.close()


def test_a_peer_s_pod_gets_its_files(run, store):
    node = run("peer", PEER)
    for container in ("app", "side"):
        assert read(node.seen_by(container, "/vault/secrets/db.txt")) == "me:first"
        assert read(node.seen_by(container, "/vault/secrets/plain")) == "key: value\n"
        mode = os.stat(node.seen_by(container, "/vault/secrets/plain")).st_mode & 0o777
        assert mode == 0o400
    token = read(node.seen_by("app", "/vault/secrets/token"))
    assert store.api("GET", "auth/token/lookup-self", token=token)["data"]["policies"] == \
        ["default", "web"]


def test_our_annotations_and_a_rotation(run, store):
    node = run("ours", OURS)
    password = node.seen_by("app", "/vault/secrets/password")
    assert read(password) == "first"
    text = read(node.seen_by("app", "/vault/secrets/conf/db.env"))
    assert "password" in text.lower() and "first" in text
    assert not os.path.exists(node.seen_by("side", "/vault/secrets/conf/db.env"))
    store.put("kv/data/db", {"data": {"user": "me", "password": "second"}})
    wait_until("the new password", lambda: read(password) == "second")
    store.put("kv/data/db", {"data": {"user": "me", "password": "first"}})


def test_at_the_pod_s_end_the_token_is_given_back(run, store):
    before = set(store.tokens("web"))
    node = run("end", OURS)
    own = set(store.tokens("web")) - before
    assert len(own) == 1  # one login
    node.process.terminate()
    assert node.process.wait(LIMIT_S) == 0
    assert not own & set(store.tokens("web"))
