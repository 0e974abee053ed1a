# SPDX-License-Identifier: Apache-2.0
"""Policies in a real kube-apiserver: what a pod's author tries is refused by /validate, with the
policy, the field and what to do; workloads get warnings at creation; an injected pod stays as
it is."""
import base64
import json
import pathlib
import time

import pytest

from webhook_run import Webhook

ROOT = pathlib.Path(__file__).resolve().parents[2]
POLICIES = ROOT / "manifests/policies"
LIMIT_S = 60
API = "/apis/admissionregistration.k8s.io/v1"
IMAGE = "registry.example/ampoule:1"
NAMESPACES = {"matchLabels": {"policy": "tested"}}


def wait_for(done):
    end = time.monotonic() + LIMIT_S
    while not done():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.1)


def settings(folder):
    return (f'image = "{IMAGE}"\npolicies = "{folder}"\n'
            'annotations {\n  service = "https://bao.example:8200"\n  role = "web"\n}\n')


@pytest.fixture(scope="module")
def policies(session_folder):
    folder = session_folder / "policies"
    folder.mkdir()
    (folder / "baseline.hcl").write_text((POLICIES / "baseline.hcl").read_text())
    (folder / "strict.hcl").write_text(
        'policy "shop" {\n  match { namespaces = ["strict-*"] }\n  require { inject = true }\n'
        '  forbid { env_secrets = true }\n'
        '  allow { paths = ["vault:kv/data/shop/**"] }\n}\n')
    return folder


@pytest.fixture(scope="module")
def webhook(kube, authority, session_folder, policies):
    with Webhook(session_folder / "policy-webhook", authority, settings(policies),
                 name="policy") as server:
        register(kube, server)
        kube.namespace("policy-probe", {"policy": "tested"})
        wait_for(lambda: kube.create_pod("policy-probe", pod(env=[PASSWORD]),
                                         dry_run=True).status == 403)
        yield server
        kube.delete(f"{API}/mutatingwebhookconfigurations/policy")
        kube.delete(f"{API}/validatingwebhookconfigurations/policy")


def hook(server, name, path, rules, **more):
    return {"name": f"{name}.ampoule.dev", "clientConfig": server.client_config(path),
            "sideEffects": "None", "admissionReviewVersions": ["v1"], "failurePolicy": "Fail",
            "timeoutSeconds": 10, "namespaceSelector": NAMESPACES, "rules": rules, **more}


def rule(group, operations, resources):
    return {"apiGroups": [group], "apiVersions": ["*"], "operations": operations,
            "resources": resources, "scope": "Namespaced"}


def register(kube, server):
    """As the header webhook/validate.h says."""
    kube.create(f"{API}/mutatingwebhookconfigurations", {
        "metadata": {"name": "policy"}, "webhooks": [
            hook(server, "policy-inject", "/mutate", [rule("", ["CREATE"], ["pods"])],
                 reinvocationPolicy="IfNeeded")]})
    kube.create(f"{API}/validatingwebhookconfigurations", {
        "metadata": {"name": "policy"}, "webhooks": [
            hook(server, "policy-pods", "/validate", [
                rule("", ["CREATE", "UPDATE"], ["pods"]),
                rule("", ["UPDATE"], ["pods/ephemeralcontainers", "pods/resize"])]),
            hook(server, "policy-status", "/validate", [rule("", ["UPDATE"], ["pods/status"])],
                 matchConditions=[{"name": "annotations", "expression":
                                   "object.metadata.?annotations != "
                                   "oldObject.metadata.?annotations"}]),
            hook(server, "policy-workloads", "/validate", [
                rule("apps", ["CREATE", "UPDATE"],
                     ["deployments", "statefulsets", "daemonsets", "replicasets"]),
                rule("batch", ["CREATE", "UPDATE"], ["jobs", "cronjobs"])])]})


PASSWORD = {"name": "DB_PASSWORD", "value": "correct-horse-7"}
FROM_SECRET = {"name": "DB", "valueFrom": {"secretKeyRef": {"name": "db", "key": "p"}}}
ASKS = {"ampoule.dev/inject": "true", "ampoule.dev/secret-db": "kv/data/shop/db#password"}


def pod(annotations=None, env=(), name="web", **spec):
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "annotations": annotations or {}},
            "spec": {"containers": [{"name": "app", "image": "registry.example/app:1",
                                     "env": list(env)}], **spec}}


def fresh(kube, name):
    return kube.namespace(name, {"policy": "tested"})


def refused(answer, policy, rule_name):
    assert answer.status == 403, (answer.status, answer.document)
    assert f"policy '{policy}' ({rule_name})" in answer.message, answer.message
    return answer.message


def test_a_policy_file_refuses_a_pod(kube, webhook):
    fresh(kube, "strict-one")
    message = refused(kube.create_pod("strict-one", pod(ASKS, [FROM_SECRET])), "shop",
                      "forbid.env_secrets")
    assert "spec.containers[app].env[DB]" in message and "ampoule.dev/secret-" in message
    assert "items" in kube.get("/api/v1/namespaces/strict-one/pods").document
    assert not kube.get("/api/v1/namespaces/strict-one/pods").document["items"]
    answer = kube.create_pod("strict-one", pod(ASKS))
    assert answer.status == 201, answer.message


def test_a_refusal_is_an_audit_line_and_a_count(kube, webhook):
    fresh(kube, "strict-two")
    refused(kube.create_pod("strict-two", pod()), "shop", "require.inject")
    line = json.loads(webhook.lines.wait(
        lambda text: '"require.inject"' in text and "strict-two" in text))
    assert line["decision"] == "deny" and line["policy"] == "shop"
    assert line["namespace"] == "strict-two" and line["pod"].endswith("/web")
    _, metrics = webhook.ask("/metrics")
    assert ('policy_findings_total{policy="shop",namespace="strict-two",decision="deny"}'
            in metrics)
