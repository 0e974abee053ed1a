# SPDX-License-Identifier: Apache-2.0
"""Renders manifests with helm and kustomize, and sends them to an API server as a dry run."""
import pathlib
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "manifests"
CHART = str(MANIFESTS / "chart")
NAMESPACE = "ampoule-system"

# kind: where its objects are created; {} is the namespace.
PATHS = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "Service": "/api/v1/namespaces/{}/services",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "MutatingWebhookConfiguration":
        "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "ValidatingWebhookConfiguration":
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
}


def documents(text):
    return [d for d in yaml.safe_load_all(text) if d]


def key(o):
    meta = o["metadata"]
    return o["apiVersion"], o["kind"], meta.get("namespace"), meta["name"]


def by_key(objects):
    objects = list(objects)
    found = {key(o): o for o in objects}
    assert len(found) == len(objects), "two objects have the same name"
    return found


class Tools:
    def __init__(self, folder):
        self.folder = folder

    def run(self, program, *args):
        return subprocess.run([str(self.folder / program), *args], capture_output=True,
                              text=True, timeout=60)

    def kustomize(self, folder):
        done = self.run("kustomize", "build", str(folder))
        assert done.returncode == 0, done.stderr
        return documents(done.stdout)

    def helm(self, *args, namespace=NAMESPACE):
        """The chart's objects; args as --set replicas=3."""
        done = self.template(*args, namespace=namespace)
        assert done.returncode == 0, done.stderr
        return documents(done.stdout)

    def template(self, *args, namespace=NAMESPACE):
        return self.run("helm", "template", "ampoule", CHART, "--namespace", namespace,
                        "--kube-version", "1.33.0", *args)


def dry_run(kube, o):
    """None when the API server would take it as it is, else the reason. Unknown and doubled
    fields are errors."""
    where = PATHS[o["kind"]].format(o["metadata"].get("namespace", "shop"))
    answer = kube.call("POST", where + "?dryRun=All&fieldValidation=Strict", o)
    if answer.status == 201 or answer.document.get("reason") == "AlreadyExists":
        return None if not answer.warnings else "; ".join(answer.warnings)
    return f"{key(o)}: {answer.message}"
