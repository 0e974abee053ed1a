# SPDX-License-Identifier: Apache-2.0
"""manifests/base/webhooks.yaml as it is, in a real kube-apiserver: who is sent to the webhook,
and who depends on it."""
import re

import pytest

import manifests
from agent_run import wait_until
from test_certs import Balancer, Replica
from test_webhook import pod

STEP_S = 30


@pytest.fixture(scope="module")
def service(kube):
    relay = Balancer()
    manifests.install(kube, relay.port)
    kube.namespace("asking")
    kube.namespace("enforced", {"ampoule.dev/enforce": "true"})
    yield relay
    manifests.uninstall(kube)
    relay.close()


@pytest.fixture(scope="module")
def webhook(kube, service, tmp_path_factory):
    one = Replica(kube, tmp_path_factory.mktemp("registrations")).ready()
    service.use(one)
    wait_until("admission", lambda: injected(create(kube, "asking", ASKS)), STEP_S)
    yield one
    one.close()


ASKS = {"ampoule.dev/inject": "true", "ampoule.dev/role": "web",
        "ampoule.dev/secret-a": "kv/data/a"}


def create(kube, namespace, annotations, **spec):
    return kube.create_pod(namespace, pod(annotations, **spec), dry_run=True)


def injected(answer):
    return answer.status == 201 and "initContainers" in answer.document["spec"]


def reviews(webhook):
    """How many reviews it has answered."""
    return sum(int(n) for n in re.findall(r"^ampoule_webhook_reviews_total\{.*\} (\d+)$",
                                          webhook.get("/metrics"), re.M))


def deployment(annotations):
    template = pod(annotations)
    return {"metadata": {"name": "web"}, "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}, "annotations": annotations},
                     "spec": template["spec"]}}}


def workload(kube, namespace, annotations):
    return kube.call("POST", f"/apis/apps/v1/namespaces/{namespace}/deployments?dryRun=All",
                     deployment(annotations))


@pytest.mark.parametrize("annotations", [
    {}, {"ampoule.dev/inject": "false"}, {"vault.hashicorp.com/agent-inject": "False"},
    {"ampoule.dev/role": "web"}, {"inject": "true"}])
def test_who_does_not_ask_is_never_sent(kube, webhook, annotations):
    before = reviews(webhook)
    assert create(kube, "asking", annotations).status == 201
    assert workload(kube, "asking", {}).status == 201
    assert reviews(webhook) == before


@pytest.mark.parametrize("key", ["ampoule.dev/inject", "vault.hashicorp.com/agent-inject",
                                 "openbao.org/agent-inject", "openbao.openbao.org/agent-inject"])
def test_who_asks_is_sent_and_then_validated(kube, webhook, key):
    before = reviews(webhook)
    assert injected(create(kube, "asking", {key: "true", "ampoule.dev/role": "web",
                                            "ampoule.dev/secret-a": "kv/data/a"}))
    assert reviews(webhook) >= before + 2  # /mutate and /validate


def test_every_pod_of_an_enforced_namespace(kube, webhook):
    before = reviews(webhook)
    assert create(kube, "enforced", {}).status == 201
    assert reviews(webhook) == before + 2
    assert injected(create(kube, "enforced", ASKS))


@pytest.mark.parametrize("namespace", ["kube-system", "kube-public", "kube-node-lease",
                                       manifests.SYSTEM])
def test_system_namespaces_never(kube, webhook, namespace):
    path = f"/api/v1/namespaces/{namespace}"
    if namespace == "kube-system":
        label = {"metadata": {"labels": {"ampoule.dev/enforce": "true"}}}
        assert kube.call("PATCH", path, label,
                         content_type="application/merge-patch+json").status == 200
    if kube.get(f"{path}/serviceaccounts/default").status != 200:
        kube.create(f"{path}/serviceaccounts", {"metadata": {"name": "default"}})
    before = reviews(webhook)
    answer = create(kube, namespace, ASKS)
    assert answer.status == 201 and not injected(answer), answer.message
    assert workload(kube, namespace, ASKS).status == 201
    assert reviews(webhook) == before


def test_a_binding_brings_none_of_our_annotations(kube, webhook):
    """Who may bind could mark any pod as injected; the API server copies the annotations."""
    place = "/api/v1/namespaces/asking"
    mark, other = {"vault.hashicorp.com/agent-inject-status": "injected"}, {"example.org/a": "b"}

    def bind(name, annotations, path):
        return kube.call("POST", f"{place}/{path}", {
            "apiVersion": "v1", "kind": "Binding",
            "metadata": {"name": name, "annotations": annotations},
            "target": {"kind": "Node", "name": "nowhere"}})

    for name, path in (("bound", "pods/bound/binding"), ("bound-too", "bindings")):
        assert kube.create_pod("asking", dict(pod({}), metadata={"name": name})).status == 201
        refused = bind(name, dict(other, **mark), path)
        assert refused.status == 403 and "update.annotations" in refused.message
        assert "agent-inject-status" in refused.message and "remove it" in refused.message
        before = reviews(webhook)
        assert bind(name, other, path).status == 201
        assert reviews(webhook) == before
        assert kube.get(f"{place}/pods/{name}").document["metadata"]["annotations"] == other


def test_workloads_are_looked_at(kube, webhook):
    before = reviews(webhook)
    answer = workload(kube, "asking", dict(ASKS, **{"ampoule.dev/interval-a": "often"}))
    assert answer.status == 201
    assert any("interval-a" in w for w in answer.warnings), answer.warnings
    assert reviews(webhook) == before + 1


def test_what_depends_on_it(kube, webhook, service):
    """Nobody but those who ask and the enforced, while no replica is there."""
    service.targets = iter(lambda: 1, None)  # a port at which nobody listens
    webhook.close()
    for namespace, annotations, status in (
            ("asking", {}, 201), ("asking", {"ampoule.dev/inject": "false"}, 201),
            ("asking", ASKS, 500), ("enforced", {}, 500), ("kube-system", ASKS, 201),
            (manifests.SYSTEM, ASKS, 201), ("default", {}, 201)):
        if kube.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/default").status != 200:
            kube.create(f"/api/v1/namespaces/{namespace}/serviceaccounts",
                        {"metadata": {"name": "default"}})
        answer = create(kube, namespace, annotations)
        assert answer.status == status, (namespace, annotations, answer.message)
    assert workload(kube, "asking", ASKS).status == 201
    assert workload(kube, "enforced", {}).status == 201
