# SPDX-License-Identifier: Apache-2.0
"""manifests/examples: each workload is taken by the API server as it is written, is injected by
the webhook's own code with the installed configuration, and what comes out is taken, too."""
import base64
import json
import os
import re
import subprocess
from datetime import date

import pytest
import yaml

import rendered
from rendered import MANIFESTS, documents

EXAMPLES = sorted((MANIFESTS / "examples").glob("*.yaml"))
NEEDS = {"spring", "rails", "node", "nginx-tls", "postgresql-dynamic", "cronjob", "aws", "gcp",
         "azure", "conjur", "sealed", "exec"}


def settings(tools):
    """webhook.hcl as it is installed, and what an operator adds for the examples."""
    for o in tools.kustomize(MANIFESTS / "base"):
        if o["kind"] == "ConfigMap" and o["metadata"]["name"] == "ampoule-webhook":
            hcl = o["data"]["webhook.hcl"]
            return hcl.replace("/etc/ampoule/policies", str(MANIFESTS / "policies")) + (MANIFESTS / "examples/stores.hcl").read_text()
    raise AssertionError("no ConfigMap")


@pytest.fixture(scope="module")
def inject(tools, tmp_path_factory):
    config = tmp_path_factory.mktemp("settings") / "webhook.hcl"
    config.write_text(settings(tools))

    def run(path):
        return subprocess.run(
            [os.path.join(os.environ["AMPOULE_BIN"], "ampoule"), "inject", "--config",
             str(config), "--namespace", "shop", "-f", str(path)],
            capture_output=True, text=True, timeout=60)
    return run


def pod_of(objects):
    for o in objects:
        if o["kind"] == "CronJob":
            return o["spec"]["jobTemplate"]["spec"]["template"]
        if o["kind"] == "Deployment":
            return o["spec"]["template"]
    raise AssertionError("no workload")


def agent_of(pod):
    return next(c for c in pod["spec"]["initContainers"] if c["name"].startswith("vault-agent"))


def config_of(pod):
    env = {e["name"]: e.get("value") for e in agent_of(pod)["env"]}
    return json.loads(base64.b64decode(env["AMPOULE_CONFIG"]))


def test_there_is_one_for_each_need():
    assert {p.stem for p in EXAMPLES} == NEEDS


@pytest.fixture(scope="module")
def restricted(kube):
    """A namespace in which Pod Security refuses whatever is not restricted."""
    namespace = kube.namespace("restricted", {"pod-security.kubernetes.io/enforce": "restricted"})
    for path in EXAMPLES:
        account = next(d for d in documents(path.read_text()) if d["kind"] == "ServiceAccount")
        kube.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", account)
    return namespace


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_is_admitted(path, kube, restricted, inject):
    objects = documents(path.read_text())
    reasons = [rendered.dry_run(kube, o) for o in objects]
    assert [r for r in reasons if r] == []

    done = inject(path)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if "shareProcessNamespace was set" not in line]
    said = [line for line in said if path.stem not in LACKING or "has no stores of the type" not in line]
    assert said == []
    injected = documents(done.stdout)
    pod = pod_of(injected)
    agent = agent_of(pod)
    assert agent["command"] == ["/ampoule-agent"]
    reasons = [rendered.dry_run(kube, o) for o in injected]
    assert [r for r in reasons if r] == []

    answer = kube.create_pod(restricted, {"metadata": {"name": "x"}, "spec": {
        **pod["spec"], "restartPolicy": pod["spec"].get("restartPolicy", "Always")}}, dry_run=True)
    assert answer.status == 201, answer.message


@pytest.mark.parametrize("name, store", [
    ("aws", "aws"), ("gcp", "gcp"), ("azure", "azure"), ("conjur", "conjur"),
    ("sealed", "sealed"), ("spring", "vault"), ("exec", "vault")])
def test_the_agent_gets_the_named_store_alone(name, store, inject):
    done = inject(MANIFESTS / f"examples/{name}.yaml")
    stores = config_of(pod_of(documents(done.stdout)))["store"]
    assert [s["type"] for s in stores] == [store]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_what_an_example_names_is_there(path, inject):
    """Files in arguments and variables are files that the agent writes; who is signalled or
    asked by HTTP is a container, or a port, of the pod."""
    done = inject(path)
    pod = pod_of(documents(done.stdout))
    config = config_of(pod)
    written = {t["destination"] for t in config.get("template", [])}
    container = pod["spec"]["containers"][0]
    words = [*container.get("args", []), *container.get("command", []),
             *(e.get("value", "") for e in container.get("env", []))]
    for word in words:
        at = word.find("/vault/secrets/")
        assert at < 0 or word.endswith(".sock") or word[at:] in written, word
    for notify in [config.get("notify"), *(t.get("notify") for t in config.get("template", []))]:
        for one in ([notify] if isinstance(notify, str) else notify or []):
            if one.startswith("signal:"):
                target = one.split("@")[1]
                assert target in {c["name"] for c in pod["spec"]["containers"]}
                user = container["securityContext"]["runAsUser"]
                assert agent_of(pod)["securityContext"]["runAsUser"] == user


LACKING = {"aws", "gcp", "azure", "conjur"}  # stores that are not in this build


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_a_store_that_the_agent_lacks_is_said(path, inject, tmp_path):
    """What the webhook is silent about the agent knows; of the others file and README tell."""
    done = inject(path)
    config = tmp_path / "agent.json"
    config.write_text(json.dumps(config_of(pod_of(documents(done.stdout)))))
    check = subprocess.run([os.path.join(os.environ["AMPOULE_BIN"], "ampoule"), "check", str(config)],
                           capture_output=True, text=True, timeout=60)
    known = "there is no type" not in check.stdout + check.stderr
    assert known == (path.stem not in LACKING)
    assert known == ("has no stores of the type" not in done.stderr), done.stderr
    assert known == ("does not have" not in path.read_text())


@pytest.mark.parametrize("policy", ["baseline", "strict"])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_keeps_the_ready_policies(path, policy, inject, tools, tmp_path):
    pod = pod_of(documents(inject(path).stdout))
    (tmp_path / "pod.yaml").write_text(yaml.safe_dump(
        {"apiVersion": "v1", "kind": "Pod", **pod, "metadata": {**pod["metadata"], "name": "x"}}))
    text = (MANIFESTS / f"policies/{policy}.hcl").read_text()
    exempt = re.search(r'^# +(exempt .*?^# +})$', path.read_text(), re.M | re.S)
    (tmp_path / "w.hcl").write_text(re.sub(r"(?m)^policies .*$", "", settings(tools)))

    def explain(policy_text):
        (tmp_path / "p.hcl").write_text(policy_text)
        return subprocess.run(
            [os.path.join(os.environ["AMPOULE_BIN"], "ampoule"), "explain", "--config",
             str(tmp_path / "w.hcl"), "-n", "shop", "-f", str(tmp_path / "pod.yaml"),
             "--policies", str(tmp_path / "p.hcl")], capture_output=True, text=True, timeout=60)

    if exempt:
        assert "forbid.overrides" in explain(text).stdout  # it is needed
        body = re.sub(r"(?m)^# ?", "", exempt[1]).replace("2027", str(date.today().year + 1))
        at = text.rindex("}")
        text = text[:at] + body + "\n" + text[at:]
    done = explain(text)
    wanted = ": exempt" if exempt else ": allow"
    assert done.returncode == 0 and wanted in done.stdout.splitlines()[0], done.stdout + done.stderr


USER, PASSWORD = "a\\tb#é ", "p@ss/w?r:d"


@pytest.mark.parametrize("name, path, wanted", [
    ("spring", "kv/data/orders/db", r"spring.datasource.username=a\\tb\#\u00E9\ "),
    ("postgresql-dynamic", "database/creds/reports", "//a%5Ctb%23%C3%A9%20:p%40ss%2Fw%3Fr%3Ad@postgres.shop.svc:5432/reports?"),
    ("cronjob", "database/creds/export", "//a%5Ctb%23%C3%A9%20:p%40ss%2Fw%3Fr%3Ad@postgres.shop.svc:5432/shop")])
def test_hostile_values_stay_values(name, path, wanted, tmp_path):
    pod = pod_of(documents((MANIFESTS / f"examples/{name}.yaml").read_text()))
    template = next(v for k, v in pod["metadata"]["annotations"].items() if "/template-" in k)
    data = {"username": USER, "password": PASSWORD}
    (tmp_path / "t").write_text(template)
    (tmp_path / "s").write_text(json.dumps({path: {"data": {"data": data} if "/data/" in path else data}}))
    done = subprocess.run(
        [os.path.join(os.environ["AMPOULE_BIN"], "ampoule"), "render", "--template", str(tmp_path / "t"),
         "--secrets", str(tmp_path / "s")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and wanted.lower() in done.stdout.lower(), done.stdout + done.stderr


def test_an_example_with_a_typing_error_would_be_seen(tmp_path, inject):
    text = (MANIFESTS / "examples/node.yaml").read_text()
    faulty = tmp_path / "node.yaml"
    faulty.write_text(text.replace("ampoule.dev/interval-", "ampoule.dev/intervall-"))
    assert "interval" in inject(faulty).stderr
    assert yaml.safe_load_all(text)
