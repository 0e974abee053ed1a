# SPDX-License-Identifier: Apache-2.0
"""manifests/elsewhere/gatekeeper: the same cases as our own engine, and pods that nobody would
write, judged by the Rego of the ConstraintTemplate as it is shipped."""
import json
import pathlib
import random
import re
import string
import subprocess

import pytest
import yaml

import gatekeeper
import gatekeeper_fuzz
import gatekeeper_template
from gatekeeper import FOLDER, HERE, REGO, ROOT

CASES = [ROOT / "test" / "cases" / "policy", ROOT / "manifests" / "policies" / "cases"]
# What Rego cannot know of the object before it, by the end of the case's path.
REASONS = {
    "around/neighbour_mount_over_ours.yaml":
        "which mounts an agent may get depends on the webhook's configuration",
    "workload/deployment_path.yaml":
        "a workload has no agent's configuration before its pods are injected",
    "around/proc_mount_of_the_agent.yaml":
        "which security context an agent has depends on the webhook's configuration",
    "around/agent_first_hook_taken_away.yaml":
        "which hook an agent has depends on its mode and the webhook's configuration",
}
# Told of each place, where our engine stops at twenty.
MANY = "and more places that break the same rule"
FUZZED = 500
# Rules that ask whether the agent is the webhook's, and those that pass over its container.
AGENT = {"require.inject", "forbid.changed_agent", "forbid.shared_processes"}
SPARING = {"forbid.env_secrets", "forbid.env_literals", "forbid.secret_volumes",
           "forbid.account_token", "allow.images", "deny.images"}


@pytest.fixture(scope="session")
def opa():
    done = subprocess.run(["sh", str(HERE / "build.sh")], stdout=subprocess.PIPE, text=True,
                          check=True)
    return pathlib.Path(done.stdout.strip()) / "opa"


@pytest.fixture(scope="session")
def shipped(tmp_path_factory):
    """The Rego out of template.yaml, as files."""
    folder = tmp_path_factory.mktemp("rego")
    template = yaml.safe_load((FOLDER / "template.yaml").read_text())
    source = template["spec"]["targets"][0]["code"][0]["source"]
    assert source["version"] == "v1"
    for i, text in enumerate([source["rego"], *source["libs"]]):
        (folder / f"{i}.rego").write_text(text)
    return folder


def judged(opa, shipped, cases, folder, query="answers"):
    known = gatekeeper.Constraints(folder)
    asked = [gatekeeper.asked(case, known.of(case)) for case in cases]
    return gatekeeper.judge(opa, shipped, asked, folder, query)


def test_the_template_holds_the_files_beside_it():
    assert (FOLDER / "template.yaml").read_text() == gatekeeper_template.text(), \
        "make it anew: python3 test/elsewhere/gatekeeper_template.py"


def test_the_language_is_strict_and_formatted(opa):
    checked = gatekeeper.run(opa, "check", "--strict", REGO, HERE / "cases.rego")
    assert checked.returncode == 0, checked.stderr
    listed = gatekeeper.run(opa, "fmt", "--list", REGO, HERE / "cases.rego")
    assert (listed.returncode, listed.stdout) == (0, "")


@pytest.mark.parametrize("name", ["baseline", "strict", "migration"])
def test_ready_constraints_are_what_the_program_writes(name):
    written = gatekeeper.export(ROOT / "manifests" / "policies" / f"{name}.hcl", form=())
    assert (FOLDER / f"{name}.yaml").read_text() == written


def lacks(value, schema, place):
    """The keys of a value that the API server would drop without a word."""
    if schema.get("type") == "array":
        return [one for i, item in enumerate(value)
                for one in lacks(item, schema["items"], f"{place}[{i}]")]
    if schema.get("type") != "object" or "additionalProperties" in schema:
        return []
    known = schema["properties"]
    return [f"{place}.{key}" for key in value if key not in known] + [
        one for key in value if key in known
        for one in lacks(value[key], known[key], f"{place}.{key}")]


def test_the_schema_knows_every_key_that_is_exported(tmp_path):
    (tmp_path / "all.hcl").write_text(gatekeeper_fuzz.POLICY)
    (tmp_path / "webhook.hcl").write_text(gatekeeper.SETTINGS + "writable = true\n")
    items = json.loads(gatekeeper.export(tmp_path / "all.hcl",
                                         settings=tmp_path / "webhook.hcl"))["items"]
    template = yaml.safe_load((FOLDER / "template.yaml").read_text())
    schema = template["spec"]["crd"]["spec"]["validation"]["openAPIV3Schema"]
    for item in items:
        assert lacks(item["spec"]["parameters"], schema, item["metadata"]["name"]) == []
    policy = next(item["spec"]["parameters"]["policy"] for item in items
                  if "policy" in item["spec"]["parameters"])
    parts = schema["properties"]["policy"]["properties"]
    for part in ("match", "exclude", "require", "forbid", "allow", "deny", "limits"):
        assert set(policy[part]) == set(parts[part]["properties"]), part


def test_every_case_is_decided_as_our_engine_does(opa, shipped, tmp_path, capsys):
    cases = gatekeeper.reviews(*CASES)
    assert len(cases) > 290
    same, words, left = 0, 0, {}
    for case, theirs in zip(cases, judged(opa, shipped, cases, tmp_path)):
        ours = gatekeeper.ours(case)
        name = "/".join(case["file"].split("/")[-2:])
        if name in REASONS:
            left[name] = REASONS[name]
            assert gatekeeper.rules(theirs) < gatekeeper.rules(ours), f"{name} is expressible"
            continue
        assert gatekeeper.decision(theirs) == gatekeeper.decision(ours), (name, theirs)
        # What holds for every update is told alone by our engine, and with the rest here.
        if not any(one[1] == "injected-pods" for one in ours):
            assert gatekeeper.rules(theirs) == gatekeeper.rules(ours), name
        else:
            assert gatekeeper.rules(theirs) >= gatekeeper.rules(ours), name
        same += 1
        words += theirs == ours or MANY in case["reasons"]
    assert set(left) == set(REASONS)
    with capsys.disabled():
        print(f"\ngatekeeper: {same} cases decided as our engine does, {words} of them in the "
              f"same words; {len(left)} not expressible: {left}")
    assert words > 270


def test_labels_of_namespaces_are_told_or_replicated(opa, shipped, tmp_path):
    cases = [case for case in gatekeeper.reviews(*CASES) if case.get("namespaceLabels")]
    known = gatekeeper.Constraints(tmp_path)
    replicated = [gatekeeper.asked(case, known.of(case)) for case in cases]
    told = [{**one, "inventory": {}, "review": {
        **one["review"], "namespaceObject": {"metadata": {"labels": case["namespaceLabels"]}}}}
        for case, one in zip(cases, replicated)]
    unknown = [{**one, "inventory": {}} for one in replicated]
    answers = gatekeeper.judge(opa, shipped, replicated, tmp_path)
    assert len(cases) > 2 and answers == gatekeeper.judge(opa, shipped, told, tmp_path)
    assert answers != gatekeeper.judge(opa, shipped, unknown, tmp_path)


def literal_lines():
    folder = ROOT / "test" / "cases" / "literals"
    for name in ("credentials.txt", "harmless.txt"):
        for line in (folder / name).read_text().splitlines():
            if line and not line.startswith("#"):
                yield line.replace("~", "").split("=", 1)
    # How random a value is decides where a name only hints at a credential.
    dice = random.Random(20260601)
    for i in range(300):
        letters = dice.sample("0123456789abcdef" if i % 3 == 0 else string.ascii_letters
                              + string.digits, 4 + i % 12)
        yield "PAYLOAD_SALT", "".join(dice.choices(letters, k=16 + i % 29))


def test_literals_are_known_alike(opa, shipped, tmp_path):
    """The corpus of forbid.env_literals: the same lines, for the same reason."""
    lines = list(literal_lines())
    (tmp_path / "cases").mkdir()
    at_once = 15  # our engine tells of no more than twenty
    for i in range(0, len(lines), at_once):
        containers = [{"name": f"line-{i + k}", "image": "a", "env": [{"name": name, "value": value}]}
                      for k, (name, value) in enumerate(lines[i:i + at_once])]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
               "spec": {"containers": containers}}
        (tmp_path / "cases" / f"{i:03}.yaml").write_text(
            "case: literals\npolicy: 'policy \"p\" { forbid { env_literals = true } }'\n"
            f"inject: false\nobject: {json.dumps(pod)}\nexpect: {{decision: deny}}\n")
    cases = gatekeeper.reviews(tmp_path / "cases")
    (tmp_path / "known").mkdir()
    found = 0
    for case, theirs in zip(cases, judged(opa, shipped, cases, tmp_path / "known")):
        assert theirs == gatekeeper.ours(case)
        found += len(theirs)
    assert found > 150 and len(lines) > 750


def both_names():
    """Of each annotation that has a name under our prefix and another under the peers'."""
    done = gatekeeper.run(gatekeeper.TOOL, "options")
    form = r"ampoule\.dev/(\S+)\n +vault\.hashicorp\.com/(\S+)"
    for names in re.findall(form, done.stdout):
        yield [re.sub("<.*", "db", name) for name in names]


def test_annotations_have_the_names_that_the_program_knows(opa, shipped):
    pairs = list(both_names())
    assert len(pairs) > 70
    asked = json.dumps([[key, name] for ours, peers in pairs
                        for key, name in (("ampoule.dev/", ours), ("openbao.org/", peers))])
    query = ('{place: {other | other := data.lib.ampoule.names.other_name(p[0], p[1])} | '
             f'some p in {asked}; place := concat("", p)}}')
    done = gatekeeper.run(opa, "eval", "--data", shipped, "--format", "json", query)
    known = json.loads(done.stdout)["result"][0]["expressions"][0]["value"]
    for ours, peers in pairs:
        assert known["ampoule.dev/" + ours] == ([peers] if peers != ours else []), ours
        assert known["openbao.org/" + peers] == ([ours] if peers != ours else []), peers


def test_pods_that_nobody_would_write(opa, shipped, tmp_path, capsys):
    cases = gatekeeper_fuzz.cases(gatekeeper.reviews(CASES[0]), FUZZED, tmp_path / "cases")
    assert len(cases) == FUZZED
    (tmp_path / "known").mkdir()
    exact = refused = 0
    answers = judged(opa, shipped, cases, tmp_path / "known", "at_once")
    for case, theirs in zip(cases, answers):
        ours = gatekeeper.ours(case)
        kept = any(one[1] == "injected-pods" for one in ours)
        strange = gatekeeper.rules(theirs) - gatekeeper.rules(ours)
        assert kept or not strange, (strange, case["review"])
        assert gatekeeper.STRENGTH.index(gatekeeper.decision(theirs)) >= \
            gatekeeper.STRENGTH.index(gatekeeper.decision(ours)), case["review"]
        # The webhook compares the agent field for field, and spares no container of another one.
        changed = any(one[2] in AGENT for one in ours - theirs)
        about = [{one for one in gatekeeper.rules(found)
                  if not (changed and one[2] in AGENT | SPARING)} for found in (theirs, ours)]
        assert kept or about[0] == about[1], case["review"]
        exact += not changed and not kept
        refused += gatekeeper.decision(ours) == "deny"
    with capsys.disabled():
        print(f"\ngatekeeper: {FUZZED} generated pods, {exact} with the same rules in "
              f"all, {refused} refused; in the others the webhook saw a changed agent, or an "
              "update that it refuses whatever the policies say")
    assert exact > FUZZED // 3 and refused > FUZZED // 3
