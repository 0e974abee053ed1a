# SPDX-License-Identifier: Apache-2.0
"""From annotations to files: the API server stores a pod that the webhook has injected; the
agent runs with exactly what stands in that pod (arguments, configuration, hook), logs in to a
real OpenBao with a token that the API server has issued for the pod and reviews itself, and the
files are what the annotations ask for. Only what a kubelet would do is done here: folders for
volumes, the token file, the start."""
import base64
import hashlib
import json
import os
import pathlib
import subprocess
import time

import pytest

import bao as bao_server
import machine
from agent_run import AGENT, Lines, memory_folder, read, remove_folder, wait_until
from machine import LIMIT_S
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


def pod(name, annotations, **app):
    return {"metadata": {"name": name, "annotations": annotations},
            "spec": {"containers": [{"name": "app", "image": "registry.example/x:1", **app},
                                    {"name": "side", "image": "registry.example/x:1"}]}}


class Kubelet:
    """What a kubelet does for the containers of a stored pod, with folders on memory instead of
    mounts: paths are rewritten where a container would see them."""

    def __init__(self, kube, stored):
        self.root = memory_folder()
        self.stored, self.processes = stored, []
        spec = stored["spec"]
        self.containers = {c["name"]: c
                           for c in spec.get("initContainers", []) + spec["containers"]}
        for volume in spec["volumes"]:
            folder = f"{self.root}/{volume['name']}"
            os.makedirs(folder)
            for source in volume.get("projected", {}).get("sources", []):
                if "serviceAccountToken" in source:
                    token = kube.account_token(stored["metadata"]["namespace"], "default",
                                               pod=stored["metadata"])
                    path = source["serviceAccountToken"]["path"]
                    pathlib.Path(f"{folder}/{path}").write_text(token)

    def inside(self, name, text):
        """Paths of the container as paths of this machine."""
        places = {m["mountPath"]: "/".join([self.root, m["name"], *filter(None, [m.get("subPath")])])
                  for m in self.containers[name].get("volumeMounts", [])}
        for path in sorted(places, key=len, reverse=True):
            text = text.replace(path, places[path])
        return text

    def downward(self, name, reference):
        """The file that a volume of the downward API shows, and the reference to it."""
        path, digest = reference[len("file:"):].split("#sha256=")
        mount = next(m for m in self.containers[name]["volumeMounts"]
                     if path.startswith(m["mountPath"] + "/"))
        assert mount["readOnly"]
        items = next(v for v in self.stored["spec"]["volumes"]
                     if v["name"] == mount["name"])["downwardAPI"]["items"]
        field = next(i["fieldRef"]["fieldPath"] for i in items if path.endswith(i["path"]))
        text = self.stored["metadata"]["annotations"][field.split("'")[1]]
        assert hashlib.sha256(text.encode()).hexdigest() == digest
        text = self.inside(name, text)
        pathlib.Path(self.inside(name, path)).write_text(text)
        return f"file:{self.inside(name, path)}#sha256={hashlib.sha256(text.encode()).hexdigest()}"

    def run(self, name, program=AGENT, **kw):
        """Starts the container's process. The agent's executable is that of the test."""
        container = self.containers[name]
        value = next((v["value"] for v in container.get("env", [])
                      if v["name"] == "AMPOULE_CONFIG"), None)
        if value:
            value = (self.downward(name, value) if value.startswith("file:") else
                     self.inside(name, base64.b64decode(value).decode()))
        words = [self.inside(name, a) for a in container.get("command", []) +
                 container.get("args", [])]
        process = machine.start([program or words[0], *words[1:]],
                                env={"AMPOULE_CONFIG": value} if value else {},
                                stderr=subprocess.PIPE, text=True, **kw)
        self.processes.append(process)
        return process

    def start(self):
        self.process = self.run("vault-agent")
        self.lines = Lines(self.process.stderr)
        container = self.containers["vault-agent"]
        hook = container["lifecycle"]["postStart"]["exec"]["command"]
        assert hook[0] == container["command"][0]
        return subprocess.run([AGENT, *(self.inside("vault-agent", a) for a in hook[1:])],
                              timeout=LIMIT_S, capture_output=True, text=True)

    def seen_by(self, container, path):
        """The file on this machine that the container sees at `path`."""
        mount = next(m for m in self.containers[container]["volumeMounts"]
                     if m["name"] == "vault-secrets")
        assert path.startswith(mount["mountPath"] + "/") and mount["readOnly"]
        return self.inside(container, path)

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()
        remove_folder(self.root)


@pytest.fixture(name="node")
def _node(kube, webhook):
    """Stores a pod, and makes a kubelet for it."""
    nodes = []

    def node(name, annotations, **app):
        answer = kube.create_pod("stored", pod(name, annotations, **app))
        assert answer.status == 201, answer.message
        nodes.append(Kubelet(kube, answer.document))
        return nodes[-1]
    yield node
    for one in nodes:
        one.close()


@pytest.fixture(name="run")
def _run(node):
    def run(name, annotations):
        one = node(name, annotations)
        done = one.start()
        assert done.returncode == 0, (done.stderr, one.lines.all())
        return one
    return run


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


@pytest.mark.parametrize("more", [{}, {"ampoule.dev/revoke-on-shutdown": "true",
                                       "ampoule.dev/revoke-grace": "2"}])
def test_the_pair_logs_in_once(node, store, more):
    before = set(store.tokens("web"))
    one = node("pair-back" if more else "pair", {**OURS, "ampoule.dev/mode": "pair", **more})
    init = one.run("vault-agent-init")
    assert init.wait(LIMIT_S) == 0, init.stderr.read()
    password = one.seen_by("app", "/vault/secrets/password")
    assert read(password) == "first"
    own = set(store.tokens("web")) - before
    assert len(own) == 1
    side = one.run("vault-agent")
    Lines(side.stderr).wait(lambda line: "every file is in place" in line)
    assert set(store.tokens("web")) - before == own  # handed over, with its leases
    store.put("kv/data/db", {"data": {"user": "me", "password": "second"}})
    wait_until("the new password", lambda: read(password) == "second")
    store.put("kv/data/db", {"data": {"user": "me", "password": "first"}})
    begin = time.monotonic()
    side.terminate()  # as the application is, at the same time: it may need the credential yet
    assert side.wait(LIMIT_S) == 0
    if more:
        assert time.monotonic() - begin >= 2
    # By default the token ends by itself, as the peer's does.
    assert own & set(store.tokens("web")) == (set() if more else own)


def test_exec_mode_gives_a_command_its_variables(node):
    one = node("exec", {"ampoule.dev/inject": "true", "ampoule.dev/role": "web",
                        "ampoule.dev/mode": "exec", "ampoule.dev/env-containers": "app",
                        "ampoule.dev/env-PASSWORD": "kv/data/db#password"},
               command=["/bin/sh", "-c", 'echo "$PASSWORD"; exit 7'])
    done = one.start()
    assert done.returncode == 0, (done.stderr, one.lines.all())
    app = one.containers["app"]
    assert app["command"][0].endswith("/ampoule-agent") and "--wrap" in app["command"]
    process = one.run("app", program=None, stdout=subprocess.PIPE)
    assert process.stdout.read() == "first\n"
    assert process.wait(LIMIT_S) == 7
    assert "first" not in json.dumps(one.stored)


def test_a_long_configuration_comes_by_the_downward_api(run):
    text = "x" * 100_000
    one = run("long", {"ampoule.dev/inject": "true", "ampoule.dev/role": "web",
                       "ampoule.dev/template-long":
                       text + '{{ with secret "kv/data/db" }}{{ .Data.data.user }}{{ end }}'})
    assert read(one.seen_by("app", "/vault/secrets/long")) == text + "me"


def test_a_long_configuration_that_was_changed_is_refused(node):
    one = node("changed", {"ampoule.dev/inject": "true", "ampoule.dev/role": "web",
                           "ampoule.dev/template-long": "x" * 100_000})
    reference = next(v["value"] for v in one.containers["vault-agent"]["env"]
                     if v["name"] == "AMPOULE_CONFIG")
    good = one.downward("vault-agent", reference)
    path = good[len("file:"):].split("#")[0]
    text = pathlib.Path(path).read_text()
    pathlib.Path(path).write_text(text.replace('"web"', '"admin"'))
    done = subprocess.run([AGENT, "agent", "--once"], env={"AMPOULE_CONFIG": good},
                          capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 1 and "not what was admitted" in done.stderr
