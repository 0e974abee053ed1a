# SPDX-License-Identifier: Apache-2.0
"""A real kube-apiserver sends real pods to ampoule-webhook, and stores what comes back."""
import base64
import json
import threading
import time

import pytest

import kube as kubernetes
import other_webhook
from webhook_run import Webhook

LIMIT_S = 60
SETTINGS = """
image = "registry.example/ampoule:1"
annotations { service = "https://bao.example:8200" }
"""


@pytest.fixture(scope="module")
def webhook(kube, authority, session_folder):
    """Registered by URL for pods that ask, and seen to be called."""
    with Webhook(session_folder / "webhook", authority, SETTINGS) as server:
        kube.namespace("probe")
        register(kube, server.client_config())
        yield server
        kube.unregister("ampoule")


def register(kube, client_config):
    kube.register("ampoule", client_config, matchConditions=[
        {"name": "asks", "expression": ASKS}], reinvocationPolicy="IfNeeded")
    wait_for(lambda: "initContainers" in kube.create_pod(
        "probe", pod(), dry_run=True).document.get("spec", {}))


ASKS = ("has(object.metadata.annotations) && object.metadata.annotations.exists(k, "
        "k in ['ampoule.dev/inject', 'vault.hashicorp.com/agent-inject', "
        "'openbao.org/agent-inject', 'openbao.openbao.org/agent-inject'])")

ANNOTATIONS = {
    "ampoule.dev/inject": "true",
    "ampoule.dev/role": "web",
    "ampoule.dev/secret-db": "kv/data/db#password",
    "ampoule.dev/template-conf":
        '{{ with secret "kv/data/db" }}{{ .Data.data.user }}{{ end }}',
    "ampoule.dev/notify-db": "http:8080/-/reload",
}


def wait_for(done):
    end = time.monotonic() + LIMIT_S
    while not done():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.1)


def pod(annotations=None, name="web", containers=("app",), **spec):
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name,
                         "annotations": ANNOTATIONS if annotations is None else annotations},
            "spec": {"containers": [
                {"name": c, "image": "registry.example/app:1"} for c in containers], **spec}}


def by_name(list_, name):
    return next(x for x in list_ if x["name"] == name)


def config_of(stored, where="initContainers", name="vault-agent"):
    agent = by_name(stored["spec"][where], name)
    return json.loads(base64.b64decode(by_name(agent["env"], "AMPOULE_CONFIG")["value"]))


def test_a_pod_is_injected_and_stored(kube, webhook):
    kube.namespace("shop")
    answer = kube.create_pod("shop", pod(containers=("app", "side")))
    assert answer.status == 201, answer.message
    assert not answer.warnings
    stored = kube.get("/api/v1/namespaces/shop/pods/web").document
    agent = by_name(stored["spec"]["initContainers"], "vault-agent")
    assert agent["restartPolicy"] == "Always"
    assert agent["image"] == "registry.example/ampoule:1"
    assert stored["metadata"]["annotations"]["ampoule.dev/inject-status"] == "injected"
    for container in ("app", "side"):
        mount = by_name(by_name(stored["spec"]["containers"], container)["volumeMounts"],
                        "vault-secrets")
        assert (mount["mountPath"], mount["subPath"], mount["readOnly"]) == \
            ("/vault/secrets", container, True)
    volume = by_name(stored["spec"]["volumes"], "vault-secrets")
    assert volume["emptyDir"]["medium"] == "Memory" and volume["emptyDir"]["sizeLimit"]
    config = config_of(stored)
    assert {t["destination"] for t in config["template"]} == \
        {"/vault/secrets/db", "/vault/secrets/conf"}
    assert {d["container"] for d in config["deliver"]} == {"app", "side"}
    # The account's token that the API server mounted is the one of the login.
    token = config["auto_auth"]["method"][0]["config"]["token_path"]
    assert any(token.startswith(m["mountPath"] + "/") for m in agent["volumeMounts"])


def test_a_pod_that_does_not_ask_is_left_alone(kube, webhook):
    kube.namespace("plain")
    stored = kube.create_pod("plain", pod({})).document
    assert "initContainers" not in stored["spec"]
    stored = kube.create_pod("plain", pod({"ampoule.dev/inject": "false"}, "no")).document
    assert "initContainers" not in stored["spec"]


def test_restricted_namespace_takes_the_pod(kube, webhook):
    kube.namespace("safe", {"pod-security.kubernetes.io/enforce": "restricted"})
    context = {"runAsNonRoot": True, "runAsUser": 1000,
               "seccompProfile": {"type": "RuntimeDefault"}}
    safe = pod(securityContext=context)
    safe["spec"]["containers"][0]["securityContext"] = {
        "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    answer = kube.create_pod("safe", safe)
    assert answer.status == 201, answer.message
    assert by_name(answer.document["spec"]["initContainers"], "vault-agent")


def test_a_wrong_annotation_is_refused_with_its_name(kube, webhook):
    kube.namespace("wrong")
    bad = dict(ANNOTATIONS, **{"ampoule.dev/interval-db": "often"})
    answer = kube.create_pod("wrong", pod(bad))
    assert answer.status == 403
    assert "ampoule.dev/interval-db" in answer.message


def test_a_misspelt_annotation_is_a_warning(kube, webhook):
    kube.namespace("typo")
    answer = kube.create_pod("typo", pod(dict(ANNOTATIONS, **{
        "vault.hashicorp.com/agent-inject-secrte-db": "kv/data/db"})))
    assert answer.status == 201
    assert any("agent-inject-secret-db" in w for w in answer.warnings), answer.warnings


def test_dry_run_answers_the_same(kube, webhook):
    kube.namespace("dry")
    dry = kube.create_pod("dry", pod(), dry_run=True).document["spec"]
    real = kube.create_pod("dry", pod()).document["spec"]

    def without_token_name(spec):  # the API server's own random name
        text = json.dumps(spec, sort_keys=True)
        for volume in spec["volumes"]:
            if volume["name"].startswith("kube-api-access-"):
                text = text.replace(volume["name"], "TOKEN")
        return text
    assert without_token_name(dry) == without_token_name(real)
    assert kube.get("/api/v1/namespaces/dry/pods").document["items"][0]["metadata"]["name"] == "web"


def test_no_account_token_means_a_projected_one(kube, webhook):
    kube.namespace("tokenless")
    answer = kube.create_pod("tokenless", pod(automountServiceAccountToken=False))
    assert answer.status == 201, answer.message
    spec = answer.document["spec"]
    source = by_name(spec["volumes"], "ampoule-token")["projected"]["sources"][0]
    assert source["serviceAccountToken"]["path"] == "token"
    assert not any(m["name"] == "ampoule-token"
                   for m in by_name(spec["containers"], "app")["volumeMounts"])
    agent = by_name(spec["initContainers"], "vault-agent")
    mount = by_name(agent["volumeMounts"], "ampoule-token")
    assert config_of(answer.document)["auto_auth"]["method"][0]["config"]["token_path"] == \
        mount["mountPath"] + "/token"


# --- neighbours, networks, restarts


def test_a_container_of_a_later_webhook_gets_its_mount(kube, webhook, authority):
    """Ours is called again after the other one has changed the pod."""
    kube.namespace("mesh", {"mesh": "yes"})
    mesh = other_webhook.Mesh(authority)
    kube.register("later", {"url": mesh.url, "caBundle": kubernetes.bundle(authority.cert)},
                  namespaceSelector={"matchLabels": {"mesh": "yes"}})
    try:
        wait_for(lambda: any(c["name"] == "late" for c in kube.create_pod(
            "mesh", pod(), dry_run=True).document["spec"]["containers"]))
        answer = kube.create_pod("mesh", pod())
        assert answer.status == 201, answer.message
        spec = answer.document["spec"]
        mount = by_name(by_name(spec["containers"], "late")["volumeMounts"], "vault-secrets")
        assert mount["subPath"] == "late" and mount["readOnly"] is True
        assert {d["container"] for d in config_of(answer.document)["deliver"]} == {"app", "late"}
        assert len([c for c in spec["initContainers"] if c["name"] == "vault-agent"]) == 1
        assert len({v["name"] for v in spec["volumes"]}) == len(spec["volumes"])
    finally:
        kube.unregister("later")
        mesh.close()


def test_registration_by_service(kube, webhook):
    """The API server asks for the name NAME.NAMESPACE.svc, over HTTP/1.1."""
    kube.namespace("hooks")
    kube.namespace("byservice", {"by": "service"})
    kube.create("/api/v1/namespaces/hooks/services", {
        "metadata": {"name": "webhook"},
        "spec": {"type": "ExternalName", "externalName": "localhost",
                 "ports": [{"port": webhook.port}]}})
    config = webhook.client_config()
    kube.register("byservice", {
        "service": {"name": "webhook", "namespace": "hooks", "path": "/mutate",
                    "port": webhook.port}, "caBundle": config["caBundle"]},
        namespaceSelector={"matchLabels": {"by": "service"}})
    kube.unregister("ampoule")
    try:
        wait_for(lambda: "initContainers" in kube.create_pod(
            "byservice", pod(), dry_run=True).document.get("spec", {}))
        wait_for(lambda: "initContainers" not in kube.create_pod(
            "probe", pod(), dry_run=True).document["spec"])
        assert kube.create_pod("byservice", pod()).status == 201
    finally:
        kube.unregister("byservice")
        register(kube, webhook.client_config())


def test_a_deployment_becomes_an_injected_pod(kube, webhook):
    """Its pod comes from a controller, with a generateName and no name."""
    kube.namespace("deployed")
    template = pod()
    template["metadata"].pop("name")
    template["metadata"]["labels"] = {"app": "web"}
    with kube.controllers("deployment", "replicaset"):
        kube.create("/apis/apps/v1/namespaces/deployed/deployments", {
            "metadata": {"name": "web"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
                     "template": {k: template[k] for k in ("metadata", "spec")}}})
        path = "/api/v1/namespaces/deployed/pods"
        wait_for(lambda: len(kube.get(path).document["items"]) == 2)
    for stored in kube.get(path).document["items"]:
        assert stored["metadata"]["generateName"].startswith("web-")
        assert by_name(stored["spec"]["initContainers"], "vault-agent")


def test_restarts_lose_no_review(kube, webhook, authority, tmp_path):
    """2,000 creations while the webhook is replaced again and again, as in a rolling update: the
    new one is ready, the network changes over, the old one gets TERM. No pod that asked is bare,
    none is refused; those that do not ask never notice."""
    kube.namespace("rolling", {"rolling": "yes"})
    relay = other_webhook.Relay()
    servers = [Webhook(tmp_path / "0", authority, SETTINGS)]
    relay.target = servers[0].port
    kube.register("rolling", {"url": f"https://127.0.0.1:{relay.port}/mutate",
                              "caBundle": kubernetes.bundle(authority.cert)},
                  namespaceSelector={"matchLabels": {"rolling": "yes"}},
                  matchConditions=[{"name": "asks", "expression": ASKS}])
    kube.unregister("ampoule")
    faults, left = [], list(range(2000))

    def create():
        while True:
            try:
                number = left.pop()
            except IndexError:
                return
            asks = number % 5 != 0
            answer = kube.create_pod("rolling", pod(None if asks else {}), dry_run=True)
            injected = "initContainers" in answer.document.get("spec", {})
            if answer.status != 201 or injected != asks:
                faults.append((answer.status, injected, asks, answer.message[:300]))
    try:
        wait_for(lambda: "initContainers" not in kube.create_pod(
            "probe", pod(), dry_run=True).document["spec"])
        wait_for(lambda: "initContainers" in kube.create_pod(
            "rolling", pod(), dry_run=True).document.get("spec", {}))
        workers = [threading.Thread(target=create) for _ in range(4)]
        for worker in workers:
            worker.start()
        restarts = 0
        while any(worker.is_alive() for worker in workers):
            fresh = Webhook(tmp_path / str(len(servers)), authority, SETTINGS)
            servers.append(fresh)
            relay.target = fresh.port
            assert servers[-2].end() == 0
            restarts += 1
        assert not faults, faults[:5]
        assert restarts >= 2
    finally:
        left.clear()
        kube.unregister("rolling")
        for server in servers:
            server.close()
        relay.close()
        register(kube, webhook.client_config())


@pytest.mark.parametrize("mode", ["native", "pair", "exec"])
def test_what_was_stored_needs_no_patch(kube, webhook, mode):
    """The API server has filled in its defaults by then: they are no difference."""
    kube.namespace(f"again-{mode}")
    asked = pod(dict(ANNOTATIONS, **{"ampoule.dev/mode": mode, "ampoule.dev/notify-db":
                                     "signal:HUP@app"}), containers=("app", "side"))
    if mode == "exec":
        asked["metadata"]["annotations"]["ampoule.dev/env-PASSWORD"] = "kv/data/db#password"
        for container in asked["spec"]["containers"]:
            container["command"] = ["/bin/app"]
    answer = kube.create_pod(f"again-{mode}", asked)
    assert answer.status == 201, answer.message
    stored = answer.document
    stored.pop("status")
    status, text = webhook.ask("/mutate", json.dumps({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {"uid": "u", "kind": {"kind": "Pod"}, "namespace": f"again-{mode}",
                    "operation": "CREATE", "object": stored}}).encode())
    response = json.loads(text)["response"]
    assert status == 200 and response["allowed"], text
    assert "patch" not in response, base64.b64decode(response["patch"]).decode()
