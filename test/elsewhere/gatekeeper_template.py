# SPDX-License-Identifier: Apache-2.0
"""Writes manifests/elsewhere/gatekeeper/template.yaml: the Rego of the folder rego/ in a
ConstraintTemplate, with the schema of its parameters.
usage: gatekeeper_template.py >template.yaml"""
import sys

import yaml

from gatekeeper import REGO

TEXT = {"type": "string"}
MODE = {"type": "string", "enum": ["enforce", "warn", "audit"]}
TEXTS = {"type": "array", "items": TEXT}
LABELS = {"type": "object", "additionalProperties": TEXT}
NUMBER = {"type": "integer", "format": "int64"}
FACTS = ["stores", "store_namespaces", "addresses", "roles", "paths", "functions", "images",
         "agent_images", "annotations"]
FORBID = ["env_secrets", "env_literals", "secret_volumes", "disk_volumes", "host_paths",
          "default_account", "account_token", "shared_processes", "forged_mark", "changed_agent",
          "overrides"]
LIMITS = ["min_interval", "max_files", "max_template", "max_ttl"]


def of(kind, names):
    return {"type": "object", "properties": {name: kind for name in names}}


SELECTOR = {"type": "object", "properties": {
    "namespaces": TEXTS, "service_accounts": TEXTS, "kinds": TEXTS, "labels": LABELS,
    "namespace_labels": LABELS}}
EXEMPTION = {"type": "object", "required": ["name", "owner", "until"], "properties": {
    "name": TEXT, "owner": TEXT, "reason": TEXT, "rules": TEXTS, "who": SELECTOR,
    "until": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}}}
POLICY = {"type": "object", "required": ["name"], "properties": {
    "name": TEXT, "mode": MODE, "workloads": MODE, "owner": TEXT, "help": TEXT,
    "match": SELECTOR, "exclude": SELECTOR, "require": of(MODE, ["inject"]),
    "forbid": of(MODE, FORBID), "allow": of(TEXTS, FACTS), "deny": of(TEXTS, FACTS),
    "limits": of(NUMBER, LIMITS), "exempt": {"type": "array", "items": EXEMPTION}}}
PURPOSE = {"type": "object", "required": ["name", "binds"], "properties": {
    "name": TEXT, "mode": MODE, "who": SELECTOR, "binds": of(TEXTS, FACTS[:5])}}
PARAMETERS = {"type": "object", "required": ["action"], "properties": {
    "action": {"type": "string", "enum": ["deny", "warn", "dryrun"]},
    "image": TEXT, "writable": {"type": "boolean"}, "injected": {"type": "boolean"},
    "policy": POLICY, "purposes": {"type": "array", "items": PURPOSE}}}


class Block(str):
    """A text that is written as it stands."""


class Plain(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


Plain.add_representer(Block, lambda dumper, text: dumper.represent_scalar(
    "tag:yaml.org,2002:str", str(text), style="|"))


def source(path):
    return Block(path.read_text().replace("\t", "  "))


def template():
    libs = sorted(path for path in REGO.glob("*.rego") if path.name != "ampoule.rego")
    code = {"version": "v1", "rego": source(REGO / "ampoule.rego"),
            "libs": [source(path) for path in libs]}
    return {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": "ampoulepolicy", "annotations": {
            "description": "Ampoule's policies; ampoule policy export --form gatekeeper writes "
                           "the constraints."}},
        "spec": {
            "crd": {"spec": {"names": {"kind": "AmpoulePolicy"},
                             "validation": {"openAPIV3Schema": PARAMETERS}}},
            "targets": [{"target": "admission.k8s.gatekeeper.sh",
                         "code": [{"engine": "Rego", "source": code}]}]}}


def text():
    return ("# SPDX-License-Identifier: Apache-2.0\n"
            "# Written by test/elsewhere/gatekeeper_template.py from rego/; Gatekeeper 3.19 or newer.\n"
            + yaml.dump(template(), Dumper=Plain, sort_keys=False, width=100,
                        allow_unicode=True))


if __name__ == "__main__":
    sys.stdout.write(text())
