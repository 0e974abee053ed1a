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
                 matchConditions=[{"name": "metadata", "expression": " || ".join(
                     f"object.metadata.?{m} != oldObject.metadata.?{m}"
                     for m in ("annotations", "labels"))}]),
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


# --- an injected pod stays as it is


def patch(kube, path, body, kind="application/json-patch+json"):
    return kube.call("PATCH", path, body, content_type=kind)


@pytest.fixture(scope="module")
def stored(kube, webhook):
    """The path of an injected pod."""
    fresh(kube, "stays")
    answer = kube.create_pod("stays", pod(ASKS, shareProcessNamespace=False))
    assert answer.status == 201, answer.message
    return "/api/v1/namespaces/stays/pods/web"


def index_of(kube, path):
    names = [c["name"] for c in kube.get(path).document["spec"]["initContainers"]]
    return names.index("vault-agent")


def test_the_agents_image_cannot_be_changed(kube, stored):
    where = f"/spec/initContainers/{index_of(kube, stored)}/image"
    answer = patch(kube, stored, [{"op": "replace", "path": where, "value": "x.example/evil:1"}])
    refused(answer, "injected-pods", "update.agent")
    assert kube.get(stored).document["spec"]["initContainers"][0]["image"] == IMAGE


def test_the_mark_cannot_be_taken_off(kube, stored):
    gone = [{"op": "remove", "path": "/metadata/annotations/ampoule.dev~1inject-status"}]
    refused(patch(kube, stored, gone), "injected-pods", "update.annotations")


def test_the_mark_cannot_be_changed_through_the_status(kube, stored):
    other = {"metadata": {"annotations": {"ampoule.dev/inject-status": "other"}}}
    answer = patch(kube, stored + "/status", other, "application/merge-patch+json")
    if answer.status == 200:  # an API server that keeps metadata out of the status
        marks = answer.document["metadata"]["annotations"]
        assert marks["ampoule.dev/inject-status"] == "injected"
    else:
        refused(answer, "injected-pods", "update.annotations")


def test_no_secret_is_asked_for_after_admission(kube, stored):
    for prefix in ("ampoule.dev/secret-", "vault.hashicorp.com/agent-inject-secret-"):
        more = {"metadata": {"annotations": {prefix + "x": "kv/data/pay/db"}}}
        refused(patch(kube, stored, more, "application/merge-patch+json"), "injected-pods",
                "update.annotations")


def ephemeral(**more):
    container = {"name": "debug", "image": "x.example/debug:1", "terminationMessagePolicy": "File",
                 "imagePullPolicy": "IfNotPresent", **more}
    return {"spec": {"ephemeralContainers": [container]}}


@pytest.mark.parametrize("name, more, rule_name", [
    ("agent", {"targetContainerName": "vault-agent"}, "forbid.changed_agent"),
    ("home", {"volumeMounts": [{"name": "home-sidecar", "mountPath": "/h"}]},
     "forbid.changed_agent"),
    ("all", {"volumeMounts": [{"name": "vault-secrets", "mountPath": "/h"}]},
     "forbid.changed_agent"),
    ("second", {"env": [{"name": "AMPOULE_CONFIG", "value": "e30="}]}, "forbid.changed_agent"),
])
def test_an_ephemeral_container_gets_nothing_of_the_agents(kube, stored, name, more, rule_name):
    answer = patch(kube, stored + "/ephemeralcontainers", ephemeral(**more),
                   "application/strategic-merge-patch+json")
    refused(answer, "injected-pods", rule_name)


def test_an_ephemeral_container_for_debugging_is_fine(kube, webhook):
    fresh(kube, "debugged")
    assert kube.create_pod("debugged", pod(ASKS)).status == 201
    answer = patch(kube, "/api/v1/namespaces/debugged/pods/web/ephemeralcontainers",
                   ephemeral(targetContainerName="app"), "application/strategic-merge-patch+json")
    assert answer.status == 200, answer.message


def test_labels_finalizers_and_deletion_go_through(kube, webhook):
    fresh(kube, "goes")
    assert kube.create_pod("goes", pod(ASKS)).status == 201
    path = "/api/v1/namespaces/goes/pods/web"
    merge = "application/merge-patch+json"
    for change in ({"labels": {"a": "b"}}, {"finalizers": ["x.example/y"]}):
        answer = patch(kube, path, {"metadata": change}, merge)
        assert answer.status == 200, answer.message
    assert kube.delete(path).status == 200
    answer = patch(kube, path, {"metadata": {"finalizers": []}}, merge)
    assert answer.status == 200, answer.message


# --- ways around, in the real server


def test_a_forged_mark_is_refused(kube, webhook):
    fresh(kube, "strict-forged")
    for key in ("ampoule.dev/inject-status", "vault.hashicorp.com/agent-inject-status",
                "openbao.org/agent-inject-status"):
        asks = key.replace("-status", "")
        answer = kube.create_pod("strict-forged", pod({asks: "true", key: "injected"}))
        refused(answer, "shop", "require.inject")
        assert "forbid.forged_mark" in answer.message


def test_a_status_that_says_running_is_no_escape(kube, webhook):
    fresh(kube, "strict-running")
    answer = kube.create_pod("strict-running", {**pod(ASKS), "status": {"phase": "Running"}})
    if answer.status == 201:
        assert any(c["name"] == "vault-agent" for c in answer.document["spec"]["initContainers"])
    else:
        refused(answer, "shop", "require.inject")


def test_a_mirror_pods_annotation_is_no_escape(kube, webhook):
    fresh(kube, "strict-mirror")
    answer = kube.create_pod("strict-mirror", pod({**ASKS, "kubernetes.io/config.mirror": "x"}))
    refused(answer, "shop", "require.inject")


def test_an_agent_made_by_hand_is_refused(kube, webhook):
    fresh(kube, "strict-hand")
    fake = {"name": "vault-agent", "image": IMAGE, "restartPolicy": "Always",
            "env": [{"name": "AMPOULE_CONFIG", "value": base64.b64encode(b"{}").decode()}]}
    answer = kube.create_pod("strict-hand", pod(initContainers=[fake]))
    message = refused(answer, "shop", "require.inject")
    assert "nothing asks the webhook" in message


def test_a_pod_without_a_name_is_looked_at(kube, webhook):
    fresh(kube, "strict-nameless")
    one = pod([FROM_SECRET])
    one["metadata"] = {"generateName": "web-"}
    refused(kube.create_pod("strict-nameless", one), "shop", "require.inject")


def test_paths_in_every_spelling_are_refused(kube, webhook):
    fresh(kube, "strict-paths")
    for path in ("kv/data/pay/db", "kv/metadata/shop/db", "kv/data/shop/../pay/db",
                 "kv/data/shop/%2e%2e/pay/db", "/kv/data/pay/db/", "kv/data//pay/db",
                 "kv/pay/db", "kv/data/pay/db?version=1"):
        answer = kube.create_pod("strict-paths", pod({**ASKS, "ampoule.dev/secret-db": path}),
                                 dry_run=True)
        refused(answer, "shop", "allow.paths")


# --- workloads


def workload(kind, template):
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
    if kind in ("Job", "CronJob"):
        template["spec"]["restartPolicy"] = "Never"
        spec = {"template": template}
    if kind == "StatefulSet":
        spec["serviceName"] = "web"
    if kind == "CronJob":
        spec = {"schedule": "@daily", "jobTemplate": {"spec": spec}}
    group = "batch/v1" if "Job" in kind else "apps/v1"
    return {"apiVersion": group, "kind": kind, "metadata": {"name": kind.lower()}, "spec": spec}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job",
                                  "CronJob"])
def test_a_workload_is_told_when_it_is_applied(kube, webhook, kind):
    namespace = fresh(kube, f"strict-{kind.lower()}")
    template = pod(ASKS, [FROM_SECRET])
    template["metadata"] = {"labels": {"app": "web"}, "annotations": ASKS}
    body = workload(kind, template)
    path = f"/apis/{body['apiVersion']}/namespaces/{namespace}/{kind.lower()}s"
    answer = kube.call("POST", path, body)
    assert answer.status == 201, answer.message
    assert any("policy 'shop' (forbid.env_secrets)" in w for w in answer.warnings), answer.warnings
    # Marking it says nothing new; a changed template does.
    answer = patch(kube, f"{path}/{kind.lower()}", {"metadata": {"labels": {"x": "y"}}},
                   "application/merge-patch+json")
    assert answer.status == 200 and not answer.warnings, answer.warnings


# --- the policies' files


def test_a_new_file_counts_and_a_faulty_one_does_not(kube, webhook, policies):
    fresh(kube, "reloaded")
    plain = pod()

    def status():
        return kube.create_pod("reloaded", plain, dry_run=True).status
    assert status() == 201
    fresh_file = policies / "reloaded.hcl"

    def write(text):  # as a ConfigMap is swapped: whole
        part = policies / ".part"
        part.write_text(text)
        part.rename(fresh_file)
    whole = 'policy "new" {\n  match { namespaces = ["reloaded"] }\n  require { inject = true }\n}\n'
    write(whole)
    wait_for(lambda: status() == 403)
    write(whole.replace("require", "requires"))
    line = webhook.lines.wait(lambda text: '"not reloaded' in text)
    assert "reloaded.hcl:3" in line and "did you mean require" in line, line
    assert status() == 403
    fresh_file.unlink()
    wait_for(lambda: status() == 201)
