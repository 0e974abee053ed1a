# SPDX-License-Identifier: Apache-2.0
"""Annotations of namespaces as defaults of their pods, watched from a real kube-apiserver. The
order of the layers: webhook configuration < namespace < pod."""
import base64
import json
import pathlib
import subprocess
import urllib.error
import urllib.request

import pytest

import machine
import manifests
from agent_run import BIN, Lines, wait_until
from machine import LIMIT_S
from test_certs import Replica
from test_webhook import config_of, pod

STEP_S = 30


class Watching(Replica):
    """A replica with plain HTTP, and with the rights of the manifests."""

    def __init__(self, kube, folder, extra="", account=None):
        self.name = "watching"
        token = pathlib.Path(folder) / "token"
        token.write_text(account or kube.account_token(manifests.SYSTEM, "ampoule-webhook"))
        config = pathlib.Path(folder) / "watching.hcl"
        config.write_text(f"""
listen = "127.0.0.1:0"
namespace_defaults = true
annotations {{
  service = "https://bao.example:8200"
  role = "from-webhook"
  log-level = "error"
}}
kubernetes {{
  server = "https://127.0.0.1:{kube.port}"
  ca_file = "{kube.ca.cert}"
  token_file = "{token}"
}}
{extra}
""")
        self.process = machine.start(
            [f"{BIN}/ampoule-webhook", "--config", str(config), "--log-format", "json"],
            stderr=subprocess.PIPE, text=True)
        self.lines = Lines(self.process.stderr)
        self.port = json.loads(self.lines.wait(lambda x: '"serving"' in x))["port"]

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def review(self, namespace, annotations, path="/mutate"):
        """(status, document) of a pod's review."""
        body = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                "request": {"uid": "u", "kind": {"kind": "Pod"}, "namespace": namespace,
                            "operation": "CREATE", "object": pod(annotations)}}
        return self.post(path, body)

    def role(self, namespace, annotations=None):
        """The role with which the pod's agent would log in; None: not injected."""
        status, answer = self.review(namespace, {
            "ampoule.dev/inject": "true", "ampoule.dev/secret-a": "kv/data/a",
            **(annotations or {})})
        assert status == 200, answer
        return role_of(answer["response"])

    def post(self, path, body):
        request = urllib.request.Request(self.url(path), json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def get(self, path):
        try:
            with urllib.request.urlopen(self.url(path), timeout=LIMIT_S) as reply:
                return reply.read().decode().strip()
        except urllib.error.HTTPError as e:
            return e.read().decode().strip()


def role_of(response):
    if "patch" not in response:
        return None
    added = {}
    for change in json.loads(base64.b64decode(response["patch"])):
        if change["path"].startswith("/spec/initContainers"):
            added = change["value"]
    stored = {"spec": {"initContainers": added if isinstance(added, list) else [added]}}
    return config_of(stored)["auto_auth"]["method"][0]["config"]["role"]


@pytest.fixture(scope="module")
def rights(kube):
    manifests.rights(kube)
    yield
    manifests.uninstall(kube)


@pytest.fixture
def webhook(kube, rights, tmp_path):
    one = Watching(kube, tmp_path)
    yield one
    one.close()


def annotate(kube, name, **annotations):
    """Sets (or takes away, by None) annotations under our prefix."""
    texts = {f"ampoule.dev/{k.replace('_', '-')}": v for k, v in annotations.items()}
    answer = kube.call("PATCH", f"/api/v1/namespaces/{name}",
                       {"metadata": {"annotations": texts}},
                       content_type="application/merge-patch+json")
    assert answer.status == 200


def test_layers(kube, webhook):
    kube.namespace("layers")
    webhook.ready()
    assert webhook.role("layers") == "from-webhook"
    annotate(kube, "layers", role="from-namespace")
    wait_until("the namespace's role", lambda: webhook.role("layers") == "from-namespace")
    assert webhook.role("layers", {"ampoule.dev/role": "from-pod"}) == "from-pod"
    assert webhook.role("default") == "from-webhook"
    annotate(kube, "layers", role=None)
    wait_until("the webhook's role", lambda: webhook.role("layers") == "from-webhook")


def test_a_namespace_may_ask_for_its_pods(kube, webhook):
    kube.namespace("all")
    webhook.ready()
    bare = {"ampoule.dev/secret-a": "kv/data/a"}
    assert role_of(webhook.review("all", bare)[1]["response"]) is None
    annotate(kube, "all", inject="true")
    wait_until("injection", lambda: role_of(webhook.review("all", bare)[1]["response"]))


def test_a_namespace_of_this_very_moment(kube, webhook):
    """Its first pod may come before the watch tells of it: it is asked for by name."""
    webhook.ready()
    for number in range(10):
        kube.create("/api/v1/namespaces", {"metadata": {
            "name": f"moment{number}", "annotations": {"ampoule.dev/role": f"role{number}"}}})
        assert webhook.role(f"moment{number}") == f"role{number}"


def test_no_namespace_and_no_answer(kube, webhook):
    webhook.ready()
    status, text = webhook.review("nowhere", {"ampoule.dev/inject": "true"})
    assert status == 503 and "namespaces nowhere" in text
    # A review may come from anybody who reaches the port: no path is made of what it says.
    for name in ("../secrets", "a/b", "a?b", "A"):
        status, text = webhook.review(name, {"ampoule.dev/inject": "true"})
        assert status == 503 and "is no name" in text, text
    status, text = webhook.review("x" * 64, {"ampoule.dev/inject": "true"})
    assert status == 400 and "request.namespace is too long" in text, text


def test_the_last_state_holds_and_the_watch_heals(kube, webhook):
    kube.namespace("away")
    annotate(kube, "away", role="before")
    webhook.ready()
    wait_until("the first role", lambda: webhook.role("away") == "before")
    with kube.away():
        webhook.wait("namespaces are not followed; what is known holds")
        assert webhook.role("away") == "before"
        assert webhook.get("/readyz") == "ok"
        status, text = webhook.review("unheard-of", {"ampoule.dev/inject": "true"})
        assert status == 503 and "not known" in text
    annotate(kube, "away", role="after")
    wait_until("the new role", lambda: webhook.role("away") == "after", STEP_S)


def test_readiness_waits_for_the_first_list(kube, rights, tmp_path):
    account = kube.account_token(manifests.SYSTEM, "ampoule-webhook")
    with kube.away():
        one = Watching(kube, tmp_path, account=account)
        try:
            one.wait("namespaces are not followed; what is known holds")
            assert one.get("/readyz") == "the namespaces are not known yet"
            assert one.get("/healthz") == "ok"
        except BaseException:
            one.close()
            raise
    try:
        one.ready()
    finally:
        one.close()


def test_labels_reach_the_policies(kube, rights, tmp_path):
    one = Watching(kube, tmp_path, """
policy "gold" {
  mode  = "enforce"
  match { namespace_labels = { tier = "gold" } }
  forbid { env_secrets = true }
}
""")
    try:
        one.ready()
        kube.namespace("gold", {"tier": "gold"})
        kube.namespace("lead", {"tier": "lead"})
        found = {}
        for name in ("gold", "lead"):
            bad = pod({})
            bad["spec"]["containers"][0]["env"] = [{"name": "P", "valueFrom": {
                "secretKeyRef": {"name": "a", "key": "b"}}}]
            status, answer = one.post("/validate", {
                "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                "request": {"uid": "u", "kind": {"kind": "Pod"}, "namespace": name,
                            "operation": "CREATE", "object": bad}})
            assert status == 200, answer
            found[name] = answer["response"]["allowed"]
        assert found == {"gold": False, "lead": True}
    finally:
        one.close()
