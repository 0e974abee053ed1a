# SPDX-License-Identifier: Apache-2.0
"""Whom the installed registrations send to the webhook, and who gets along without it: those of
manifests/base in a real API server, with a real webhook behind them."""
import time

import pytest

import bao
from rendered import MANIFESTS, PATHS
from webhook_run import Webhook

LIMIT_S = 60
SETTINGS = """
image = "registry.example/ampoule:1"
annotations { service = "https://bao.example:8200" }
policy "house" {
  mode   = "enforce"
  forbid { env_secrets = true }
}
"""


@pytest.fixture(scope="module")
def webhook(kube, tools, tmp_path_factory):
    folder = tmp_path_factory.mktemp("webhook")
    with Webhook(folder, bao.Authority(folder / "ca"), SETTINGS) as server:
        kube.namespace("plain")
        kube.namespace("guarded", {"ampoule.dev/enforce": "true"})
        made = []
        for o in tools.kustomize(MANIFESTS / "base"):
            if o["kind"].endswith("WebhookConfiguration"):
                for one in o["webhooks"]:
                    one["clientConfig"] = server.client_config(
                        one["clientConfig"]["service"]["path"])
                kube.create(PATHS[o["kind"]], o)
                made.append(f"{PATHS[o['kind']]}/{o['metadata']['name']}")
        for space in ("plain", "guarded"):  # a registration takes seconds to be known
            until(lambda space=space: kube.create_pod(
                space, pod("x", asks=True, secret=True), dry_run=True).status == 403)
        until(lambda: kube.create_pod("guarded", pod("x", secret=True), dry_run=True).status == 403)
        yield server
        for path in made:
            kube.delete(path)


def until(done):
    end = time.monotonic() + LIMIT_S
    while not done():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.1)


def pod(name, asks=False, secret=False, **meta):
    annotations = {"ampoule.dev/inject": "true", "ampoule.dev/role": "web",
                   "ampoule.dev/secret-db": "kv/data/db"} if asks else {}
    env = [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
    return {"metadata": {"name": name, "annotations": annotations, **meta},
            "spec": {"containers": [{"name": "app", "image": "registry.example/app:1",
                                     "env": env if secret else []}]}}


def change(kube, name, patch, space="plain", part=""):
    return kube.call("PATCH", f"/api/v1/namespaces/{space}/pods/{name}{part}", patch,
                     content_type="application/merge-patch+json")


def test_who_is_looked_at(kube, webhook):
    for space, asks, secret, status in (
            ("plain", False, True, 201), ("plain", True, False, 201), ("plain", True, True, 403),
            ("guarded", False, False, 201), ("guarded", False, True, 403),
            ("ampoule-system", True, True, 201)):
        answer = kube.create_pod(space, pod("x", asks, secret), dry_run=True)
        assert answer.status == status, (space, asks, secret, answer.message)
        assert status == 201 or "house" in answer.message
        agents = answer.document.get("spec", {}).get("initContainers", [])
        assert bool(agents) == (asks and status == 201 and space != "ampoule-system")


def test_a_workload_is_told_early(kube, webhook):
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"},
                  "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {
                      **pod("x", secret=True), "metadata": {"labels": {"a": "b"}}}}}
    path = PATHS["Deployment"] + "?dryRun=All"
    answer = kube.call("POST", path.format("guarded"), deployment)
    assert answer.status == 201 and any("house" in w for w in answer.warnings), answer.message
    assert not kube.call("POST", path.format("plain"), deployment).warnings


def test_what_is_there_cannot_be_changed_past_it(kube, webhook):
    assert kube.create_pod("plain", pod("kept", asks=True)).status == 201
    answer = change(kube, "kept", {"metadata": {"annotations": {"ampoule.dev/role": "admin"}}})
    assert answer.status == 403, answer.message
    status = change(kube, "kept", {"metadata": {"annotations": {"ampoule.dev/role": "admin"}}},
                    part="/status")
    assert status.status == 403, status.message


def test_without_the_webhook(kube, webhook):
    """Nobody else depends on it; and what exists goes on living and can be deleted."""
    assert kube.create_pod("plain", pod("lives", asks=True,
                                        finalizers=["example.org/x"])).status == 201
    webhook.close()
    assert kube.create_pod("plain", pod("x"), dry_run=True).status == 201
    assert kube.create_pod("ampoule-system", pod("x"), dry_run=True).status == 201
    for space, asks in (("plain", True), ("guarded", False)):
        answer = kube.create_pod(space, pod("x", asks), dry_run=True)
        assert answer.status == 500 and "ampoule.dev" in answer.message
    assert change(kube, "lives", {"status": {"phase": "Running"}}, part="/status").status == 200
    assert change(kube, "lives", {"metadata": {"finalizers": None}}).status == 200
    for value in ("10.0.0.7/32", "10.0.0.8/32", None):  # what a network writes, or nothing runs again
        note = {"metadata": {"annotations": {"cni.projectcalico.org/podIP": value}}}
        answer = change(kube, "lives", note, part="/status")
        assert answer.status == 200, answer.message
    for value in ("changed", None):
        note = {"metadata": {"annotations": {"ampoule.dev/inject": value}}}
        assert change(kube, "lives", note).status == 500
    note = {"metadata": {"annotations": {"vault.hashicorp.com/role": "x"}}}
    assert change(kube, "lives", note).status == 500
    gone = kube.delete("/api/v1/namespaces/plain/pods/lives?gracePeriodSeconds=0")
    assert gone.status == 200, gone.message
