# SPDX-License-Identifier: Apache-2.0
"""The cases of our own policy engine in the real API server: what `ampoule policy export` makes of
their policies, applied all at once, each for the objects of its cases alone (by a label), and the
cases' objects as dry runs.

All bindings warn here, so that one answer tells all findings, and what each does when it is applied
as it was exported is remembered by its name. The tests of the shipped files apply them unchanged.
"""
import collections
import hashlib
import json
import pathlib
import subprocess
import time

from agent_run import TOOL

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = (ROOT / "test/cases/policy", ROOT / "manifests/policies/cases")
API = "/apis/admissionregistration.k8s.io/v1/"
PATHS = {"ValidatingAdmissionPolicy": API + "validatingadmissionpolicies",
         "ValidatingAdmissionPolicyBinding": API + "validatingadmissionpolicybindings"}
LABEL = "elsewhere/case"
MARKER = "marker-"  # pods of this generateName break every policy of the label's
USUAL = ('image = "registry.example/ampoule:1"\nannotations {\n'
         '  service = "https://vault.example:8200"\n  role = "web"\n}\n')
DECISIONS = {"Deny": "deny", "Warn": "warn", "Audit": "audit"}  # hardest first
HARDNESS = ("allow", "audit", "warn", "deny")
RESOURCES = {"Pod": "/api/v1/namespaces/{}/pods", "PodTemplate": "/api/v1/namespaces/{}/podtemplates",
             "ReplicationController": "/api/v1/namespaces/{}/replicationcontrollers",
             **{k: "/apis/apps/v1/namespaces/{}/" + k.lower() + "s"
                for k in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")},
             **{k: "/apis/batch/v1/namespaces/{}/" + k.lower() + "s" for k in ("Job", "CronJob")}}
LIMIT_S = 120
ACTIONS = {}  # of bindings, as they were exported


def export(*args, form="vap"):
    """(objects, remarks) of policy files."""
    done = subprocess.run([TOOL, "policy", "export", "--form", form, "--json", *map(str, args)],
                          capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)["items"], done.stderr.splitlines()


class Case:
    def __init__(self, line, number, folder):
        self.file = pathlib.Path(line["file"])
        self.name = f"{self.file.parent.name}/{self.file.stem}"
        self.decision = line["decision"]
        self.request = line.get("review", {}).get("request")
        self.rule = line["expect"].get("rule")
        self.labels = line.get("namespaceLabels")
        self.now = line.get("now", "2026-06-01")
        paths = [self.file.parent / p for p in line.get("policies", [])]
        texts = [p.read_text() for p in paths] + [line.get("policy", "")]
        self.text, self.settings = "\n".join(texts), line.get("settings", USUAL)
        key = "\0".join((self.text, self.settings, self.now))
        self.group = "g" + hashlib.sha256(key.encode()).hexdigest()[:10]
        self.number, self.folder = number, folder

    @property
    def kind(self):
        return self.request["object"]["kind"]

    @property
    def namespace(self):
        """Its own, where it has labels that the case's namespace shall not have for others."""
        named = self.request["namespace"]
        return f"{named}-{self.number}" if self.labels else named

    def objects(self):
        policy, settings = (self.folder / f"{self.group}.{x}" for x in ("hcl", "conf"))
        policy.write_text(self.text)
        settings.write_text(self.settings)
        return export("--config", settings, "--now", self.now, policy)[0]

    def body(self, which="object"):
        """The object as the API server gets it: a name of its own, the label of its policies, and
        what an API server wants besides."""
        o = json.loads(json.dumps(self.request[which]))
        o["apiVersion"] = {"/api/v1/": "v1", "/apis/ap": "apps/v1", "/apis/ba": "batch/v1"}[
            RESOURCES[self.kind][:8]]
        meta = o.setdefault("metadata", {})
        meta.pop("namespace", None)
        if "name" in meta:
            meta["name"] = f"case-{self.number}"
        meta.setdefault("labels", {})
        meta["labels"][LABEL] = self.group
        complete(o)
        return o


def complete(o):
    """A volume for each mount, a Job's restart policy."""
    spec = o.get("spec", {})
    job = spec.get("jobTemplate", {}).get("spec") or (spec if o["kind"] == "Job" else {})
    if "template" in job:
        job["template"]["spec"].setdefault("restartPolicy", "Never")
    if o["kind"] != "Pod":
        return
    there = {v["name"] for v in spec.get("volumes", [])}
    for container in spec.get("initContainers", []) + spec["containers"]:
        for name in {m["name"] for m in container.get("volumeMounts", [])} - there:
            there.add(name)
            spec.setdefault("volumes", []).append({"name": name, "emptyDir": {"medium": "Memory"}})


def overlay(stored, old, new):
    """What is stored, defaults and all, with the difference of two objects laid over it."""
    if isinstance(new, dict) and isinstance(old, dict) and isinstance(stored, dict):
        gone = {k for k in old if k not in new}
        return {**{k: v for k, v in stored.items() if k not in gone},
                **{k: overlay(stored.get(k), old.get(k), v) for k, v in new.items()
                   if old.get(k) != v}}
    if isinstance(new, list) and isinstance(old, list) and isinstance(stored, list) and \
            len(old) == len(stored):
        return [overlay(s, o, n) if o != n else s for s, o, n in zip(stored, old, new)] + \
            new[len(old):]
    return new


def read_cases(folder):
    done = subprocess.run([TOOL, "policy", "test", "--reviews", *map(str, CASES)],
                          capture_output=True, text=True, check=True, timeout=120)
    return [Case(json.loads(line), i, folder) for i, line in enumerate(done.stdout.splitlines())]


def bound(objects, group):
    """The same objects, for this group's label alone, warning; the marker breaks each."""
    for o in objects:
        o["metadata"]["name"] = f"{group}-{o['metadata']['name']}"
        spec = o["spec"]
        if o["kind"].endswith("Binding"):
            spec["policyName"] = f"{group}-{spec['policyName']}"
            ACTIONS[o["metadata"]["name"]], spec["validationActions"] = spec["validationActions"][0], ["Warn"]
            spec["matchResources"]["objectSelector"] = {"matchLabels": {LABEL: group}}
        else:
            spec["validations"].append({
                "expression": f"object.metadata.?generateName.orValue('') != '{MARKER}'",
                "message": "marker"})
    return objects


def apply(kube, objects):
    """Bindings of pods last: when one of them is seen at work, all that came before it is known."""
    for o in sorted(objects, key=lambda o: (o["kind"], o["metadata"]["name"].endswith("-pods"))):
        kube.create(PATHS[o["kind"]], o)


def settle(kube):
    """Starts the API server anew: it compiles all policies before it serves. One of version 1.33
    that evaluates a policy while it compiles another may end with "concurrent map read and map
    write" (apiserver/pkg/cel/types.go)."""
    with kube.away():
        pass
    kube.await_ready()


def remove(kube, objects):
    for o in reversed(objects):
        kube.delete(f"{PATHS[o['kind']]}/{o['metadata']['name']}")


def marker(group):
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"generateName": MARKER, "labels": {LABEL: group}},
            "spec": {"containers": [{"name": "app", "image": "x.example/marker:1"}]}}


def dry(kube, *args, **more):
    """A dry run, once more where the server has closed the connection meanwhile."""
    try:
        return kube.call(*args, **more)
    except OSError:
        return kube.call(*args, **more)


def await_active(kube, namespace, group, policies):
    """Until the marker pod breaks each of these policies."""
    end = time.monotonic() + LIMIT_S
    while True:
        answer = dry(kube, "POST", RESOURCES["Pod"].format(namespace) + "?dryRun=All", marker(group))
        missing = [p for p in policies
                   if not any(f"'{p}'" in w and "marker" in w for w in answer.warnings)]
        if not missing:
            return
        assert time.monotonic() < end, (missing, answer.warnings, answer.message)
        time.sleep(0.02)


class World:
    """Namespaces and accounts of all cases, their stored objects, then all their policies."""

    def __init__(self, kube, folder):
        self.kube, self.cases = kube, [c for c in read_cases(folder)]
        self.asked = [c for c in self.cases if c.request and c.kind in RESOURCES]
        for namespace, labels in {c.namespace: c.labels for c in self.asked}.items():
            kube.namespace(namespace, {**(labels or {}), "ampoule.dev/enforce": ""})
        accounts = {(c.namespace, self.account(c)) for c in self.asked}
        for namespace, account in sorted(a for a in accounts if a[1] != "default"):
            kube.create(f"/api/v1/namespaces/{namespace}/serviceaccounts",
                        {"metadata": {"name": account}})
        self.stored = {c.number: self.store(c) for c in self.asked if "oldObject" in c.request}
        self.groups, self.policies = {}, collections.defaultdict(list)
        for case in self.asked:
            if case.group not in self.groups:
                objects = bound(case.objects(), case.group)
                self.groups[case.group] = objects
                apply(kube, objects)
        settle(kube)
        for case in self.asked:
            names = [o["metadata"]["name"] for o in self.groups[case.group]
                     if o["kind"] == "ValidatingAdmissionPolicy"]
            await_active(kube, case.namespace, case.group, names)

    @staticmethod
    def account(case):
        spec = case.request["object"].get("spec", {})
        return spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"

    def store(self, case):
        path = RESOURCES[case.kind].format(case.namespace)
        return self.kube.call("POST", path, case.body("oldObject"))

    def ask(self, case):
        """(decision, answer) of the API server; decision None: it takes no such object at all."""
        path, body = RESOURCES[case.kind].format(case.namespace), case.body()
        user = case.request["userInfo"]["username"]
        if "oldObject" in case.request:
            old = self.stored[case.number]
            if old.status != 201:
                return None, old
            path += f"/{body['metadata']['name']}"
            if case.request.get("subResource"):
                path += f"/{case.request['subResource']}"
            body = overlay(old.document, case.body("oldObject"), body)
            answer = dry(self.kube, "PUT", path + "?dryRun=All", body, user=user)
        else:
            answer = dry(self.kube, "POST", path + "?dryRun=All", body, user=user)
        if answer.status not in (200, 201):
            return None, answer
        return decision(answer), answer

    def close(self):
        for objects in self.groups.values():
            remove(self.kube, objects)


def decision(answer):
    acted = {action for name, action in ACTIONS.items()
             if any(f"with binding '{name}'" in w for w in answer.warnings)}
    return next((word for action, word in DECISIONS.items() if action in acted), "allow")
