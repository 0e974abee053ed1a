# SPDX-License-Identifier: Apache-2.0
"""manifests/: both ways to install give the same objects, the API server takes each of them
as it is written, and the webhook reads the configuration in them."""
import os
import pathlib
import re
import subprocess

import pytest

import rendered
from rendered import MANIFESTS, ROOT, by_key

# overlay: values of the chart for the same
OVERLAYS = {
    "self-made": [],
    "cert-manager": ["--set", "certificates.source=cert-manager"],
    "openshift": ["--set", "certificates.source=openshift,openshift=true"],
}
FOREIGN = ("cert-manager.io/v1",)  # no schema in a bare API server


def find(objects, kind, name="ampoule-webhook"):
    return next(o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name)


@pytest.fixture(scope="module", params=OVERLAYS)
def overlay(request, tools):
    return request.param, tools.kustomize(MANIFESTS / "overlays" / request.param)


def test_the_chart_gives_the_same_objects(overlay, tools):
    """But for the Namespace, which no chart can hold: Helm needs it before."""
    name, objects = overlay
    expected = by_key(o for o in objects if o["kind"] != "Namespace")
    found = by_key(tools.helm(*OVERLAYS[name]))
    assert found.keys() == expected.keys()
    for key, o in expected.items():
        assert found[key] == o, key


def test_the_api_server_takes_every_object(overlay, kube):
    reasons = [rendered.dry_run(kube, o) for o in overlay[1] if o["apiVersion"] not in FOREIGN]
    assert [r for r in reasons if r] == []


def test_an_unknown_field_would_be_seen(tools, kube):
    service = find(tools.kustomize(MANIFESTS / "base"), "Service")
    service["spec"]["prots"] = []
    assert "prots" in rendered.dry_run(kube, service)


def test_pods_pass_the_restricted_standard(overlay, kube):
    """In the namespace as it is labelled, by the API server's own PodSecurity admission."""
    name, objects = overlay
    labels = find(objects, "Namespace", "ampoule-system")["metadata"]["labels"]
    namespace = kube.namespace(f"restricted-{name}", labels)
    kube.create(f"/api/v1/namespaces/{namespace}/serviceaccounts",
                {"metadata": {"name": "ampoule-webhook"}})
    template = find(objects, "Deployment")["spec"]["template"]
    pod = {"metadata": {**template["metadata"], "name": "x"}, "spec": template["spec"]}
    answer = kube.create_pod(namespace, pod, dry_run=True)
    assert answer.status == 201, answer.message
    del pod["spec"]["containers"][0]["securityContext"]
    assert kube.create_pod(namespace, pod, dry_run=True).status == 403


def test_the_webhook_reads_its_configuration(overlay, tmp_path):
    """`ampoule inject` goes through the webhook's own reader of settings."""
    hcl = find(overlay[1], "ConfigMap")["data"]["webhook.hcl"]
    policies = find(overlay[1], "ConfigMap", "ampoule-policies")["data"]
    image = find(overlay[1], "Deployment")["spec"]["template"]["spec"]["containers"][0]["image"]
    assert f'image          = "{image}"' in hcl
    injected = inject(tmp_path, hcl, policies)
    assert injected.returncode == 0, injected.stderr
    assert image in injected.stdout
    assert ("runAsUser" in injected.stdout) == (overlay[0] != "openshift")


def inject(tmp_path, hcl, policies):
    """With the folder of the policies as it is mounted."""
    folder = tmp_path / "policies"
    folder.mkdir()
    for name, text in policies.items():
        (folder / name).write_text(text)
    config = tmp_path / "webhook.hcl"
    config.write_text(hcl.replace("/etc/ampoule/policies", str(folder)))
    assert str(folder) in config.read_text()
    return subprocess.run(
        [os.path.join(os.environ["AMPOULE_BIN"], "ampoule"), "inject", "--config", str(config)],
        input=POD, capture_output=True, text=True, timeout=60)


POD = """
apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations:
    ampoule.dev/inject: "true"
    ampoule.dev/role: web
    ampoule.dev/service: https://bao.example:8200
    ampoule.dev/secret-db: kv/data/db
spec:
  containers:
    - name: app
      image: registry.example/app:1
"""


def test_names_and_ports_agree(overlay):
    """What one object says of another is so."""
    objects = overlay[1]
    pod = find(objects, "Deployment")["spec"]["template"]
    service = find(objects, "Service")["spec"]
    assert service["selector"].items() <= pod["metadata"]["labels"].items()
    container = pod["spec"]["containers"][0]
    ports = {p["name"]: p["containerPort"] for p in container["ports"]}
    hcl = find(objects, "ConfigMap")["data"]["webhook.hcl"]
    assert f":{ports['https']}\"" in hcl and f":{ports['metrics']}\"" in hcl
    assert {p["targetPort"] for p in service["ports"]} == ports.keys()
    served = {p["port"] for p in service["ports"]}
    for o in objects:
        for webhook in o.get("webhooks", []):
            to = webhook["clientConfig"]["service"]
            assert to["name"] == "ampoule-webhook" and to["port"] in served
            early = webhook["name"].startswith("workloads")  # only told; the pod is refused
            assert webhook["failurePolicy"] == ("Ignore" if early else "Fail")
            assert webhook["sideEffects"] == "None"
    for kind in ("PodDisruptionBudget", "NetworkPolicy"):
        spec = find(objects, kind)["spec"]
        selector = spec.get("selector") or spec["podSelector"]
        assert selector["matchLabels"].items() <= pod["metadata"]["labels"].items()


def test_versions_agree():
    version = re.search(r"^VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.M)[1]
    chart = (MANIFESTS / "chart/Chart.yaml").read_text()
    assert f"\nversion: {version}\n" in chart and f"\nappVersion: {version}\n" in chart
    for path in pathlib.Path(MANIFESTS).rglob("*.yaml"):
        for said in re.findall(r"localhost/ampoule:([\w.-]+)", path.read_text()):
            assert said == version, path


# --- the chart's values

@pytest.mark.parametrize("value, field", [
    ("replicas=two", "/replicas"), ("replicas=0", "/replicas"),
    ("image.pullPolicy=Sometimes", "/image/pullPolicy"),
    ("image.digest=sha256:12", "/image/digest"),
    ("certificates.source=letsencrypt", "/certificates/source"),
    ("certificates.source=secret", "/certificates/caBundle"),
    ("certificates.issuer.kind=Isuer", "/certificates/issuer/kind"),
    ("resources.limits.memory=lots", "/resources/limits/memory"),
    ("settings.writable=1", "/settings/writable"),
    ("admission.timeoutSeconds=60", "/admission/timeoutSeconds"),
    ("policies.house=x", "'house' does not match"), ("admission.failurePolicy=Maybe", "/admission/failurePolicy"),
    ("certificates.source=cert-manager,certificates.issuer.kind=ClusterIssuer", "/certificates/issuer"),
    ("certificates.source=cert-manager,certificates.issuer.name=", "/certificates/issuer/name"),
    ("certificates.source=openshift", "/openshift"), ("certificates.caBundle=QUJD", "/certificates/caBundle"),
    ("podDisruptionBudget.minAvailable=200%", "/podDisruptionBudget/minAvailable"),
    ("image.tag=-x", "/image/tag"), ("networkPolicy.apiServer.ports={0}", "/networkPolicy/apiServer/ports"),
    ("networkPolicy.apiServer.cidrs={here}", "/networkPolicy/apiServer/cidrs"),
    ("replcas=3", "'replcas' not allowed"), ("settings.writeable=true", "'writeable' not allowed"),
])
def test_a_bad_value_is_refused_by_name(tools, value, field):
    done = tools.template("--set", value)
    assert done.returncode != 0
    assert field in done.stderr


def test_values_reach_their_places(tools, kube, tmp_path):
    values = tmp_path / "values.yaml"
    values.write_text("""
image: {repository: registry.example/ampoule, digest: "sha256:%s"}
imagePullSecrets: [{name: registry}]
replicas: 3
nodeSelector: {disk: ssd}
tolerations: [{key: infra, operator: Exists}]
priorityClassName: system-cluster-critical
podAnnotations: {a: b}
logLevel: debug
certificates: {source: secret, caBundle: QUJD}
settings:
  annotations: {service: "https://bao.example:8200", log-level: debug, preserve-secret-case: true,
                run-as-user: 1000650000}
  writable: true
  extra: |
    store "aws" {
      type   = "aws"
      region = "eu-central-1"
    }
policies:
  a.hcl: policy "a" { mode = "audit"  forbid { env_secrets = true } }
admission: {failurePolicy: Ignore, timeoutSeconds: 5}
networkPolicy: {enabled: false}
podDisruptionBudget: {minAvailable: 50%%}
""" % ("0" * 64))
    objects = tools.helm("--values", str(values), namespace="secrets")
    kube.namespace("secrets")
    reasons = [rendered.dry_run(kube, o) for o in objects]
    assert [r for r in reasons if r] == []
    pod = find(objects, "Deployment")["spec"]["template"]["spec"]
    image = "registry.example/ampoule@sha256:" + "0" * 64
    assert pod["containers"][0]["image"] == image
    assert pod["containers"][0]["args"][-2:] == ["--log-level", "debug"]
    assert pod["priorityClassName"] == "system-cluster-critical"
    assert pod["nodeSelector"] == {"disk": "ssd"} and pod["tolerations"][0]["key"] == "infra"
    assert find(objects, "Deployment")["spec"]["replicas"] == 3
    assert find(objects, "PodDisruptionBudget")["spec"]["minAvailable"] == "50%"
    assert not [o for o in objects if o["kind"] == "NetworkPolicy"]
    for o in objects:
        assert "ampoule-system" not in str(o), o
        for webhook in o.get("webhooks", []):
            assert webhook["clientConfig"]["caBundle"] == "QUJD"
            assert webhook["failurePolicy"] == "Ignore" and webhook["timeoutSeconds"] == 5
    policies = find(objects, "ConfigMap", "ampoule-policies")["data"]
    assert policies.keys() == {"a.hcl", "policies.hcl"}
    injected = inject(tmp_path, find(objects, "ConfigMap")["data"]["webhook.hcl"], policies)
    assert injected.returncode == 0, injected.stderr
    assert image in injected.stdout and "runAsUser: 1000650000" in injected.stdout


@pytest.mark.parametrize("replicas, least, there", [
    (1, "1", False), (2, "1", True), (2, "2", False), (2, "100%", False), (2, "50%", True),
    (2, "51%", False), (3, "67%", False), (3, "66%", True), (20, "95%", True)])
def test_no_budget_holds_every_drain_up(tools, replicas, least, there):
    kinds = [o["kind"] for o in tools.helm(
        "--set", f"replicas={replicas},podDisruptionBudget.minAvailable={least}")]
    assert "Deployment" in kinds and ("PodDisruptionBudget" in kinds) == there


def test_the_way_out_can_be_narrowed(tools):
    objects = tools.helm("--set", "networkPolicy.apiServer.ports={8443},"
                         "networkPolicy.apiServer.cidrs={10.0.0.1/32,fd00::1/128}")
    policy = find(objects, "NetworkPolicy")
    assert policy["spec"]["egress"] == [{
        "ports": [{"protocol": "TCP", "port": 8443}],
        "to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}, {"ipBlock": {"cidr": "fd00::1/128"}}]}]


def test_the_chart_is_whole(tools, tmp_path):
    """helm's own lint, and a package that renders the same: links inside of it are followed."""
    done = tools.run("helm", "lint", "--strict", rendered.CHART)
    assert done.returncode == 0, done.stdout + done.stderr
    assert tools.run("helm", "package", rendered.CHART, "-d", str(tmp_path)).returncode == 0
    package = next(tmp_path.glob("*.tgz"))
    done = tools.run("helm", "template", "ampoule", str(package), "--namespace",
                     rendered.NAMESPACE, "--kube-version", "1.33.0")
    assert by_key(rendered.documents(done.stdout)) == by_key(tools.helm())
