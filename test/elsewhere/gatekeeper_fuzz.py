# SPDX-License-Identifier: Apache-2.0
"""Pods that no person and no API server would make: members missing, null or of another type,
texts that mean to escape a rule. The same number gives the same pods."""
import copy
import json
import random

import gatekeeper

# A policy with every rule, so that each is asked of each pod.
POLICY = """
policy "all" {
  mode  = "enforce"
  owner = "security@example.org"
  help  = "see the wiki"
  match {
    namespaces       = ["*"]
    service_accounts = ["**"]
    kinds            = ["*"]
    labels           = { app = "**" }
    namespace_labels = { tier = "g*" }
  }
  exclude {
    namespaces       = ["shop"]
    service_accounts = ["shop/free"]
    kinds            = ["Pod"]
    labels           = { app = "free" }
    namespace_labels = { tier = "silver" }
  }
  require { inject = true }
  allow {
    stores           = ["vault", "main"]
    store_namespaces = ["team/**"]
    addresses        = ["https://*.example:8200", "https://main.example"]
    roles            = ["web"]
    paths            = ["vault:kv/**", "main:kv/*/shop/**"]
    functions        = ["secret", "printf", "index"]
    images           = ["registry.example/**"]
    agent_images     = ["registry.example/ampoule:*"]
    annotations      = ["inject*", "secret-*", "role", "template-?*"]
  }
  deny {
    stores           = ["aws*"]
    store_namespaces = ["team/secret"]
    addresses        = ["http://**"]
    roles            = ["admin"]
    paths            = ["kv/prod/**", "sys/**", "kv/*/pay/db"]
    functions        = ["env", "file", "writeToFile"]
    images           = ["docker.io/**", "**:latest"]
    agent_images     = ["**/evil*"]
    annotations      = ["agent-run-as-user", "agent-inject-command-*"]
  }
  limits {
    min_interval = "30s"
    max_files    = 2
    max_template = 64
    max_ttl      = "1h"
  }
  forbid {
    env_secrets      = true
    env_literals     = "warn"
    secret_volumes   = true
    disk_volumes     = true
    host_paths       = true
    default_account  = "audit"
    account_token    = true
    shared_processes = true
    forged_mark      = true
    changed_agent    = true
    overrides        = true
  }
  exempt "batch" {
    owner            = "batch@example.org"
    until            = "2026-12-31"
    reason           = "moved in autumn"
    rules            = ["forbid.host_paths", "limits.*"]
    namespaces       = ["shop"]
    service_accounts = ["batch"]
  }
}
purpose "build" {
  namespaces = ["ci-*"]
  stores     = ["ci"]
  paths      = ["kv/build/**"]
}
"""
NAMES = ["app", "vault-agent", "vault-agent-init", "vault-secrets", "home-init", "ampoule-token",
         "ampoule-program", "default", "batch", "free", "shop", "my-keys", ""]
TEXTS = NAMES + [
    "/", "//", "/var/lib/kubelet/", "/./proc", "/data/../etc", "relative", "/vault/secrets",
    "/ampoule/secrets", "nginx", "NGINX:1", "library/nginx", "docker.io:443/nginx",
    "registry.example/shop:1", "registry.example/ampoule:1", "quay.io/a@sha256:0", "injected",
    "true", "false", "Memory", "**", "kv/prod/db", "kv/data/prod/db#password", "sys%2fmounts",
    "vault:kv/metadata/prod/db", "aws:kv/x", "kv/build/key", "arn:aws:secretsmanager:e:1:secret:db-aB3xYz",
    "http://vault.example:80", "https://user@vault.example:8200", "1s", "90", "1.5h", "web",
    "admin", "postgres://u:hunter22@db/x", "password=hunter22;x=y", "AKIAABCDEFGHIJKLMNOP",
    "c2VjcmV0LXNlY3JldA==", "aGVsbG8gd29ybGQgcGFzc3dvcmQ9aHVudGVyMjI=", "4f9A2kd8Lq0zXw7Vb3Ty",
    "a%20b%2Bc", "\\", "\u00e9\u00e8", "{{ secret \"kv/prod/db\" }}",
    "{{ with secret \"kv/data/shop/db\" \"ttl=48h\" }}{{ .x | printf \"%s\" }}{{ end }}",
    "{{/* secret \"sys/x\" */}}{{- env \"HOME\" -}}", "{{ writeToFile (secret $p) `a` 'b' }}",
]
VALUES = [None, True, False, 0, 1, -1, 30, "", [], {}, [None], [[]], {"name": None}, "text"]
ENVS = ["DB_PASSWORD", "API_KEY", "TOKEN_FILE", "SALT", "apiKey", "AMPOULE_CONFIG",
        "AMPOULE_STATUS_SOCKET", "LD_PRELOAD", "PUBLIC_KEY", "dbPassword"]
KEYS = ["spec", "securityContext", "hostPID", "shareProcessNamespace", "envFrom", "hostPath",
        "emptyDir", "projected", "image", "serviceAccount", "automountServiceAccountToken",
        "readOnly", "subPath", "targetContainerName", "privileged", "secret", "sources"]
CONFIG = {"deliver": [], "status_socket": "/home/vault/ampoule.sock"}


def places(value, found):
    """Every (container, key) of a tree."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        found.append((value, key))
        if isinstance(value[key], (dict, list)):
            places(value[key], found)
    return found


def config(dice):
    """An agent's configuration that its author made up."""
    text = dice.choice
    doc = dict(CONFIG)
    doc["template"] = [{"name": text(NAMES), "secret": text(TEXTS), "contents": text(TEXTS),
                        "interval": text([5, "5s", 90, None, "x"])}
                       for _ in range(dice.randrange(4))]
    doc["store"] = [{"name": text(["main", "aws", "ci", ""]), "default": text([True, None]),
                     "address": text(TEXTS), "auth": {"config": {"role": text(TEXTS)}}}]
    doc[text(["vault", "cache", "auto_auth", "template_config"])] = text(
        VALUES + [{"address": text(TEXTS), "namespace": text(["team/a", "team/secret"])}])
    return json.dumps(doc)


def extras(dice, spec):
    """Adds what a rule looks for."""
    text = dice.choice
    container = {"name": text(NAMES), "image": text(TEXTS)}
    container["env"] = [{"name": text(ENVS), "value": text(TEXTS)} for _ in range(3)]
    if dice.random() < 0.3:
        container["env"].append({"name": "AMPOULE_CONFIG", "value": config(dice)})
        container.update(name="vault-agent", command=["/ampoule-agent"],
                         image=text(["registry.example/ampoule:1", "registry.example/x"]))
    container["volumeMounts"] = [{"name": text(NAMES), "mountPath": text(TEXTS),
                                  "subPath": text(["", "app", "app.2"])}]
    volume = {"name": text(NAMES), text(["hostPath", "emptyDir", "secret", "projected"]): text(
        [{"path": text(TEXTS)}, {"medium": text(TEXTS)}, {},
         {"sources": [{"serviceAccountToken": {}}, {"secret": {}}]}])}
    for key, one in ((text(["containers", "initContainers", "ephemeralContainers"]), container),
                     ("volumes", volume)):
        if isinstance(spec.setdefault(key, []), list):
            spec[key].append(one)


def broken(dice, pod):
    """A copy with some of its members changed."""
    pod = copy.deepcopy(pod)
    if dice.random() < 0.7:
        extras(dice, pod["spec"])
    metadata = pod["metadata"]
    if isinstance(metadata.setdefault("annotations", {}), dict) and dice.random() < 0.5:
        prefix = dice.choice(["ampoule.dev/", "openbao.org/agent-", "vault.hashicorp.com/agent-"])
        name = dice.choice(["inject-status", "run-as-user", "json-patch", "inject-command-a",
                            "role", "tls-skip-verify", "image", "inject"])
        metadata["annotations"][prefix + name] = dice.choice(TEXTS)
    if dice.random() < 0.8 and isinstance(metadata.get("labels", {}), dict):
        metadata["labels"] = {**metadata.get("labels", {}), "app": dice.choice(["web", "free"])}
    for _ in range(dice.randrange(4)):
        found = places({"spec": pod["spec"], "metadata": metadata}, [])
        parent, key = dice.choice(found[2:])
        what = dice.random()
        if what < 0.3:
            del parent[key]
        elif what < 0.6:
            parent[key] = copy.deepcopy(dice.choice(VALUES))
        elif what < 0.9:
            parent[key] = dice.choice(TEXTS)
        elif isinstance(parent, dict):
            parent[dice.choice(KEYS)] = copy.deepcopy(dice.choice(VALUES))
    return pod


def cases(seeds, n, folder):
    """n generated pods as our engine judges them; a fifth of them as updates of what they were."""
    dice = random.Random(20260601)
    pods = [one["review"]["request"]["object"] for one in seeds]
    pods = [pod for pod in pods if pod.get("kind") == "Pod" and len(json.dumps(pod)) < 8000
            and isinstance(pod.get("spec"), dict) and isinstance(pod.get("metadata"), dict)]
    folder.mkdir()
    (folder / "all.hcl").write_text(POLICY)
    strict = gatekeeper.ROOT / "manifests" / "policies"
    for i in range(n):
        seed = dice.choice(pods)
        pod = broken(dice, seed)
        parts = {"policies": [["all.hcl"], [str(strict / "strict.hcl"),
                                            str(strict / "baseline.hcl")]][i % 4 == 3],
                 "inject": False, "object": pod, "expect": {"decision": "allow"}}
        if i % 5 == 0:
            parts["oldObject"] = seed
        lines = [f"{key}: {json.dumps(value)}\n" for key, value in parts.items()]
        (folder / f"{i:03}.yaml").write_text(f"case: generated {i}\n" + "".join(lines))
    return gatekeeper.reviews(folder)
