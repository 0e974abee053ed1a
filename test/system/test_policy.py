# SPDX-License-Identifier: Apache-2.0
"""`ampoule` on policies: check, policy test, explain -f."""
import json
import pathlib

import pytest

from agent_run import TOOL, run

ROOT = pathlib.Path(__file__).parents[2]
READY = ROOT / "manifests/policies"

POD = """apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers: [{name: app, image: x, env: [{name: DB_PASSWORD, value: correct-horse-7}]}]
"""


def tool(*argv):
    return run(TOOL, *map(str, argv), check=False)


def test_the_ready_policies_are_good():
    assert tool("check", READY).returncode == 0
    done = tool("policy", "test", READY)
    assert done.returncode == 0 and done.stdout.splitlines()[-1].endswith(" passed, 0 failed")


@pytest.mark.parametrize("text, where, what", [
    ('policy "x" {\n  forbids { env_secrets = true }\n}\n', ":2", "did you mean forbid?"),
    ('policy "x" {\n  forbid { env_secret = true }\n}\n', ":2", "did you mean env_secrets?"),
    ('policy "x" {\n  mode = "enfroce"\n  forbid { env_secrets = true }\n}\n', ":2",
     '"enforce", "warn" or "audit"'),
    ('policy "x" {\n  match { namespaces = "shop" }\n  require { inject = true }\n}\n', ":2",
     "a list"),
    ('policy "x" {\n}\n', ":1", "no rule"),
    ('policy "x" {\n  require { inject = true }\n  exempt "a" {\n    until = "2027-01-31"\n  }\n}\n',
     ":3", "owner is missing"),
    ('policy "x" {\n  require { inject = true }\n  exempt "a" {\n    owner = "me"\n  }\n}\n', ":3",
     "until is missing"),
    ('policy "x" {\n  require { inject = true }\n  exempt "a" {\n    owner = "me"\n'
     '    until = "2027-02-30"\n  }\n}\n', ":5", "a day is wanted"),
    ('policy "x" {\n  require { inject = true }\n  exempt "a" {\n    owner = "me"\n'
     '    until = "2027-01-31"\n    rules = ["forbid.env"]\n  }\n}\n', ":6", "no rule"),
    ('policy "x" {\n  require { inject = true }\n}\npolicy "x" {\n  require { inject = true }\n}\n',
     ":4", "a second policy"),
    ('policy "x" {\n  require { inject = true }\n  exclude { }\n}\n', ":3", "empty"),
    ('purpose "x" {\n  paths = ["a"]\n}\n', ":1", "whom it is for"),
    ('purpose "x" {\n  namespaces = ["a"]\n}\n', ":1", "binds nothing"),
])
def test_check_says_file_line_and_reason(tmp_path, text, where, what):
    file = tmp_path / "p.hcl"
    file.write_text(text)
    done = tool("check", file)
    assert done.returncode == 1
    assert f"{file}{where}: " in done.stderr and what in done.stderr, done.stderr


def test_an_ended_exemption_is_a_warning(tmp_path):
    file = tmp_path / "p.hcl"
    file.write_text('policy "x" {\n  require { inject = true }\n  exempt "old" {\n'
                    '    owner = "me@example.org"\n    until = "2020-01-31"\n  }\n}\n')
    done = tool("check", file)
    assert done.returncode == 0 and "me@example.org" in done.stderr
    assert tool("check", "--strict", file).returncode == 1


def test_a_failing_case_says_what_came_instead(tmp_path):
    case = tmp_path / "case.yaml"
    case.write_text('case: tried\npolicy: |\n  policy "p" { require { inject = true } }\n'
                    "object: {kind: Pod, spec: {containers: [{name: a}]}}\n"
                    "expect: {decision: allow}\n")
    done = tool("policy", "test", tmp_path)
    assert done.returncode == 1 and done.stdout.splitlines()[-1] == "0 passed, 1 failed"
    assert "it is: deny" in done.stderr and "require.inject" in done.stderr
    assert tool("policy", "test", tmp_path / "nothing").returncode == 1


def test_cases_come_out_as_reviews_for_other_engines():
    done = tool("policy", "test", "--reviews", READY)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) >= 20
    assert all({"file", "expect", "decision"} <= set(line) for line in lines)
    assert all(line["review"]["request"]["object"] for line in lines if "review" in line)


def test_explain_names_the_rule_that_decides(tmp_path):
    file = tmp_path / "pod.yaml"
    file.write_text(POD)
    done = tool("explain", "-f", file, "--policies", READY / "baseline.hcl")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0] == "Pod shop/web: deny"
    assert "policy 'baseline' (forbid.env_literals): spec.containers[app].env[DB_PASSWORD]" \
        in lines[1]
    assert "correct-horse" not in done.stdout + done.stderr
    file.write_text(POD.replace("correct-horse-7", "/vault/secrets/db"))
    done = tool("explain", "-f", file, "--policies", READY / "baseline.hcl")
    assert done.returncode == 0 and done.stdout.startswith("Pod shop/web: allow\n")
    assert "policy 'baseline' (enforce" in done.stdout
