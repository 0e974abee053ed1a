# SPDX-License-Identifier: Apache-2.0
"""What manifests/base holds, put into a real API server: rights, Service, registrations. The
Service leads to loopback, where the webhook of a test listens; all else is as it is shipped."""
import pathlib

import yaml

BASE = pathlib.Path(__file__).resolve().parents[2] / "manifests/base"
SYSTEM = "ampoule-system"
PATHS = {
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "Role": f"/apis/rbac.authorization.k8s.io/v1/namespaces/{SYSTEM}/roles",
    "RoleBinding": f"/apis/rbac.authorization.k8s.io/v1/namespaces/{SYSTEM}/rolebindings",
    "ServiceAccount": f"/api/v1/namespaces/{SYSTEM}/serviceaccounts",
    "MutatingWebhookConfiguration":
        "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "ValidatingWebhookConfiguration":
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
}


def objects(name):
    return [o for o in yaml.safe_load_all((BASE / name).read_text()) if o]


def whole():
    """In the order in which they can be created."""
    return objects("serviceaccount.yaml") + objects("rbac.yaml") + objects("webhooks.yaml")


def rights(kube):
    """The namespace, the service account and its rights alone."""
    if kube.get(f"/api/v1/namespaces/{SYSTEM}").status != 200:
        kube.namespace(SYSTEM)
    for o in objects("serviceaccount.yaml") + objects("rbac.yaml"):
        kube.create(PATHS[o["kind"]], o)


def install(kube, port):
    """`port` is where the webhook listens on loopback."""
    rights(kube)
    kube.create(f"/api/v1/namespaces/{SYSTEM}/services", {
        "metadata": {"name": "ampoule-webhook"},
        "spec": {"type": "ExternalName", "externalName": "localhost",
                 "ports": [{"port": port}]}})
    for o in objects("webhooks.yaml"):
        for webhook in o["webhooks"]:
            webhook["clientConfig"]["service"]["port"] = port
        kube.create(PATHS[o["kind"]], o)


def uninstall(kube):
    for o in reversed(whole()):
        kube.delete(f"{PATHS[o['kind']]}/{o['metadata']['name']}")
    kube.delete(f"/api/v1/namespaces/{SYSTEM}/services/ampoule-webhook")


def registrations(kube):
    """Paths of the webhook's own registrations, mutating first."""
    return [f"{PATHS[o['kind']]}/{o['metadata']['name']}" for o in objects("webhooks.yaml")]
