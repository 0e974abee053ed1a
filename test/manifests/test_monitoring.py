# SPDX-License-Identifier: Apache-2.0
"""manifests/monitoring: alerts and dashboard ask for metrics and labels that agent and webhook
really have, and Prometheus' own tool accepts and evaluates them."""
import json
import os
import pathlib
import re
import subprocess

import pytest
import yaml

import bao
from rendered import MANIFESTS
from webhook_run import Webhook

HERE = pathlib.Path(__file__).parent
FOLDER = MANIFESTS / "monitoring"
# What Prometheus adds to every series of a pod, and metrics of its own.
TARGET = {"job", "instance", "namespace", "pod", "service", "container"}
OWN = {"up": set()}
WORDS = {"by", "without", "on", "ignoring", "and", "or", "unless", "bool", "offset", "group_left"}


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """{metric: labels}: the agent's from its table, the webhook's from /metrics."""
    found = dict(OWN)
    tool = os.path.join(os.environ["AMPOULE_BIN"], "ampoule")
    table = subprocess.run([tool, "options", "--metrics"], capture_output=True, text=True,
                           check=True).stdout
    for name, labels in re.findall(r"^\| `(\w+)` \| \w+ \| ([\w, ]*?) *\|", table, re.M):
        found[name] = set(re.findall(r"\w+", labels))
    folder = tmp_path_factory.mktemp("webhook")
    (folder / "policies.hcl").write_text('policy "p" { forbid { env_literals = true } }\n')
    with Webhook(folder, bao.Authority(folder / "ca"),
                 f'policies = "{folder}/policies.hcl"\n') as server:
        pod = {"metadata": {"name": "p", "namespace": "n"}, "spec": {"containers": [
            {"name": "a", "image": "i", "env": [{"name": "DB_PASSWORD", "value": "s3cr3t-Xy12"}]}]}}
        server.ask("/validate", json.dumps({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
                "uid": "u", "operation": "CREATE", "namespace": "n", "object": pod,
                "kind": {"group": "", "version": "v1", "kind": "Pod"}}}).encode())
        status, text = server.ask("/metrics")
        assert status == 200
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? ", text, re.M):
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    assert len(found) > 30
    return found


def rules():
    document = yaml.safe_load((FOLDER / "prometheusrule.yaml").read_text())
    return document["spec"]


def alerts():
    return [(r["alert"], r["expr"]) for g in rules()["groups"] for r in g["rules"]]


def panels():
    board = json.loads((FOLDER / "dashboard.json").read_text())
    return [(f"{p['title']}-{t['refId']}", t["expr"])
            for p in board["panels"] for t in p.get("targets", [])]


def wrong(query, known):
    """The reasons why a query does not fit what there is."""
    reasons, used = [], set()
    plain = re.sub(r'"[^"]*"', '""', query)
    for name, matchers in re.findall(r"\b([a-zA-Z_:]\w*)\s*\{([^}]*)\}", plain):
        for label in re.findall(r"(\w+)\s*[=!]", matchers):
            if label not in known.get(name, set()) | TARGET:
                reasons.append(f"{name} has no label {label}")
    plain = re.sub(r"\{[^}]*\}|\[[^]]*\]", " ", plain)
    groups = re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", plain)
    plain = re.sub(r"\b(by|without|on|ignoring)\s*\([^)]*\)", " ", plain)
    for name in re.findall(r"\b[a-zA-Z_:]\w*\b(?!\s*\()", plain):
        if name not in known and name not in WORDS:
            reasons.append(f"there is no metric {name}")
        used |= known.get(name, set())
    for group in groups:
        reasons += [f"no metric has the label {label}"
                    for label in re.findall(r"\w+", group) if label not in used | TARGET]
    return reasons


@pytest.mark.parametrize("query, reason", [
    ("sum(ampoule_reday)", "there is no metric ampoule_reday"),
    ('ampoule_store_up{stoer="x"} == 0', "ampoule_store_up has no label stoer"),
    ("sum by (stoer) (ampoule_store_up)", "no metric has the label stoer"),
    ("rate(ampoule_webhook_review_secs_bucket[5m])",
     "there is no metric ampoule_webhook_review_secs_bucket")])
def test_a_slip_is_found(query, reason, known):
    assert wrong(query, known) == [reason]


@pytest.mark.parametrize("query", [pytest.param(q, id=n) for n, q in alerts() + panels()])
def test_a_query_asks_for_what_there_is(query, known):
    assert wrong(query, known) == []


def test_texts_use_labels_that_the_alert_has(known):
    for group in rules()["groups"]:
        for rule in group["rules"]:
            text = " ".join(rule["annotations"].values())
            metrics = set(re.findall(r"\w+", rule["expr"])) & known.keys()
            labels = TARGET.union(*(known[m] for m in metrics))
            grouped = re.findall(r"\bby \(([^)]*)\)", rule["expr"])
            if grouped:
                labels = {w for g in grouped for w in re.findall(r"\w+", g)}
            assert set(re.findall(r"\$labels\.(\w+)", text)) <= labels, rule["alert"]


# --- Prometheus' own judgement

def promtool(tools, *args):
    return subprocess.run([str(tools.folder / "promtool"), *args], capture_output=True,
                          text=True, timeout=60)


def texts(alert, labels, value):
    """The annotations as they are sent; `value` stands for what a template makes of $value."""
    text = json.dumps(next(r["annotations"] for g in rules()["groups"] for r in g["rules"]
                           if r["alert"] == alert))
    text = re.sub(r"{{ \$labels\.(\w+) }}", lambda m: labels.get(m[1], ""), text)
    return json.loads(re.sub(r"{{ \$value[^}]*}}", str(value), text))


def rule_tests():
    """promtool's file: each alert of alerts.yaml is quiet at `quiet`, and fires at `fires`."""
    tests = []
    for alert, cases in yaml.safe_load((HERE / "alerts.yaml").read_text()).items():
        for case in cases:
            labels = dict(case.get("labels", {}))
            severity = {r["alert"]: r["labels"] for g in rules()["groups"] for r in g["rules"]}
            expected = [{"exp_labels": {**severity[alert], **labels},
                         "exp_annotations": texts(alert, labels, case.get("value"))}]
            moments = [(m, []) for m in case.get("quiet", [])]
            moments += [(m, expected) for m in case.get("fires", [])]
            tests.append({"interval": "1m", "alert_rule_test": [
                {"eval_time": m, "alertname": alert, "exp_alerts": e} for m, e in moments],
                "input_series": [{"series": s, "values": v} for s, v in case["series"].items()]})
    return {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}


def test_each_alert_has_a_case_that_fires_and_one_that_does_not():
    cases = yaml.safe_load((HERE / "alerts.yaml").read_text())
    assert cases.keys() == {name for name, _ in alerts()}
    for alert, of_it in cases.items():
        assert any(c.get("fires") for c in of_it) and any(c.get("quiet") for c in of_it), alert


def test_prometheus_accepts_and_evaluates_the_rules(tools, tmp_path):
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules()))
    done = promtool(tools, "check", "rules", str(tmp_path / "rules.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(rule_tests()))
    done = promtool(tools, "test", "rules", str(tmp_path / "test.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_accepts_the_queries_of_the_dashboard(tools, tmp_path):
    queries = [q.replace("$__rate_interval", "5m") for _, q in panels()]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "x", "rules": [
        {"record": f"x:{i}", "expr": q} for i, q in enumerate(queries)]}]}))
    done = promtool(tools, "check", "rules", str(tmp_path / "rules.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_is_laid_out():
    """No panel lies over another, ids are unique, and each panel says what it shows."""
    board = json.loads((FOLDER / "dashboard.json").read_text())
    taken = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                 for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells
    assert len({p["id"] for p in board["panels"]}) == len(board["panels"])


def test_kustomize_builds_it(tools):
    objects = tools.kustomize(FOLDER)
    assert {o["kind"] for o in objects} == {"PrometheusRule", "ServiceMonitor", "PodMonitor",
                                            "ConfigMap"}
