# SPDX-License-Identifier: Apache-2.0
"""manifests/elsewhere/kyverno: the same expressions as the ValidatingAdmissionPolicy has, which runs
in the real API server (test/kube/test_vap.py), in objects of Kyverno's own shape."""
import os
import pathlib
import subprocess

import pytest
import yaml

TOOL = f"{os.environ['AMPOULE_BIN']}/ampoule"
ROOT = pathlib.Path(__file__).parents[2]
NAMES = ("baseline", "strict", "migration")
# Of policies.kyverno.io/v1 ValidatingPolicy.
SPEC = {"matchConstraints", "validations", "failurePolicy", "auditAnnotations", "matchConditions",
        "variables", "autogen", "validationActions", "webhookConfiguration", "evaluation"}
REQUIRED = {"matchConstraints", "validations", "validationActions"}
ACTIONS = {"pods": {"enforce": "Deny", "warn": "Warn", "audit": "Audit"},
           "workloads": {"enforce": "Warn", "warn": "Warn", "audit": "Audit"}}


def shipped(form, name):
    return [o for o in yaml.safe_load_all((ROOT / f"manifests/elsewhere/{form}/{name}.yaml").read_text()) if o]


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_files_are_what_the_program_makes(name):
    """To renew one: ampoule policy export --form kyverno manifests/policies/NAME.hcl"""
    made = subprocess.run([TOOL, "policy", "export", "--form", "kyverno", f"manifests/policies/{name}.hcl"],
                          cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert (ROOT / f"manifests/elsewhere/kyverno/{name}.yaml").read_text() == made.stdout


@pytest.mark.parametrize("name", NAMES)
def test_the_expressions_are_those_of_the_api_server(name):
    theirs = {o["metadata"]["name"]: o["spec"] for o in shipped("vap", name)
              if o["kind"] == "ValidatingAdmissionPolicy"}
    seen = set()
    for o in shipped("kyverno", name):
        spec, (own, _, _) = o["spec"], o["metadata"]["name"].rpartition("-")
        seen.add(own)
        for key in ("failurePolicy", "matchConditions", "variables", "validations"):
            assert spec[key] == theirs[own][key], (own, key)
        selector = "namespaceSelector"
        assert spec["matchConstraints"][selector] == theirs[own]["matchConstraints"][selector]
    assert seen == set(theirs)


@pytest.mark.parametrize("name", NAMES)
def test_the_objects_have_kyvernos_shape(name):
    for o in shipped("kyverno", name):
        assert (o["apiVersion"], o["kind"]) == ("policies.kyverno.io/v1", "ValidatingPolicy")
        assert set(o) == {"apiVersion", "kind", "metadata", "spec"}
        assert REQUIRED <= set(o["spec"]) <= SPEC
        _, mode, what = o["metadata"]["name"].rsplit("-", 2)
        rules = [r for rule in o["spec"]["matchConstraints"]["resourceRules"] for r in rule["resources"]]
        assert ("pods" in rules) == (what == "pods")
        wanted = ACTIONS[what][mode]
        assert o["spec"]["validationActions"] == [wanted]
