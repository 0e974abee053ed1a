# SPDX-License-Identifier: Apache-2.0
"""The Rego of manifests/elsewhere/gatekeeper beside our own engine: reviews and reasons come from
`ampoule policy test --reviews`, the constraints from `ampoule policy export`, and one evaluation
of the opa program judges all of them."""
import datetime
import json
import os
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
FOLDER = ROOT / "manifests" / "elsewhere" / "gatekeeper"
REGO = FOLDER / "rego"
TOOL = os.path.join(os.environ.get("AMPOULE_BIN", str(ROOT / "build" / "bin")), "ampoule")
# As cmd/policy_case.c has it for a case that brings no settings.
SETTINGS = """image = "registry.example/ampoule:1"
annotations {
  service = "https://vault.example:8200"
  role = "web"
}
"""
WORDS = {"deny": "deny", "warn": "warn", "dryrun": "audit"}
STRENGTH = ["deny", "warn", "audit", "allow"]


def run(*command, **more):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)


def reviews(*folders):
    """What our engine says of each case that is not refused before it is validated."""
    done = run(TOOL, "policy", "test", "--reviews", *folders)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [one for one in lines if "review" in one]


def export(*policies, form=("--json",), settings=None):
    config = ["--config", settings] if settings else []
    done = run(TOOL, "policy", "export", "--form", "gatekeeper", *form, *config, *policies)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Constraints:
    """The parameters that a case's policies become; each set of policies is exported once."""

    def __init__(self, folder):
        self.folder, self.known = pathlib.Path(folder), {}

    def of(self, case):
        files = [os.path.normpath(os.path.join(os.path.dirname(case["file"]), name))
                 for name in case.get("policies", [])]
        key = (tuple(files), case.get("policy"), case.get("settings"))
        if key not in self.known:
            place = self.folder / str(len(self.known))
            place.mkdir()
            (place / "webhook.hcl").write_text(case.get("settings", SETTINGS))
            if "policy" in case:
                (place / "policy.hcl").write_text(case["policy"])
                files.append(place / "policy.hcl")
            items = json.loads(export(*files, settings=place / "webhook.hcl"))["items"]
            self.known[key] = [one["spec"]["parameters"] for one in items]
        return self.known[key]


def asked(case, constraints):
    """A case as cases.rego takes it."""
    request = case["review"]["request"]
    labels = case.get("namespaceLabels")
    names = {request["namespace"]: {"metadata": {"labels": labels}}} if labels is not None else {}
    day = datetime.datetime.strptime(case.get("now", "2026-06-01"), "%Y-%m-%d")
    seconds = day.replace(tzinfo=datetime.timezone.utc).timestamp()
    return {"review": request, "constraints": constraints, "now": int(seconds) * 10**9,
            "inventory": {"cluster": {"v1": {"Namespace": names}}}}


def together(case):
    """The case with each policy once, and the actions of its constraints."""
    policies = {}
    for one in case["constraints"]:
        rest = {key: value for key, value in one.items() if key != "action"}
        policies.setdefault(json.dumps(rest), {**rest, "actions": []})["actions"].append(one["action"])
    return {**case, "policies": list(policies.values())}


def judge(opa, rego, cases, folder, query="answers"):
    """For each case the set of (decision, policy, rule, message)."""
    cases = cases if query == "answers" else [together(case) for case in cases]
    place = pathlib.Path(folder) / "cases.json"
    place.write_text(json.dumps({"cases": cases}))
    done = run(opa, "eval", "--data", rego, "--data", HERE / "cases.rego", "--input", place,
               "--format", "json", f"data.cases.{query}")
    assert done.returncode == 0, done.stdout[:4000] + done.stderr[:4000]
    answers = json.loads(done.stdout)["result"][0]["expressions"][0]["value"]
    assert len(answers) == len(cases)
    return [{(WORDS[one["details"]["action"]], one["details"]["policy"], one["details"]["rule"],
              one["msg"]) for one in answer} for answer in answers]


def ours(case):
    """The same of our engine; what an exemption holds back is no finding elsewhere."""
    form = r"^(deny|warn|audit): (policy '(.*?)' \(([a-z_.]+)\): .*)$"
    return {(word, policy, rule, sentence)
            for word, sentence, policy, rule in re.findall(form, case["reasons"], re.M)}


def rules(findings):
    return {one[:3] for one in findings}


def decision(findings):
    return min((one[0] for one in findings), key=STRENGTH.index, default="allow")
