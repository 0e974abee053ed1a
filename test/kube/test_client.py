# SPDX-License-Identifier: Apache-2.0
"""lib/kube against a real kube-apiserver, with the rights of a service account and no others."""
import json
import os
import pathlib
import subprocess

import pytest

import machine
from agent_run import BIN, Lines, prog

SECRETS = "/api/v1/namespaces/client/secrets"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
BUILT = {"bin": "build/openssl-glibc", "static": "build/mbedtls-musl"}


def driver():
    """kube_run of the variant under test."""
    folder = BUILT.get(os.path.basename(BIN))
    return f"{folder}/test/prog/kube_run" if folder else prog("kube_run")


class Client:
    """kube_run as a process: commands go in, answers come out, one JSON line each."""

    def __init__(self, kube, folder, namespace, account):
        self.token = pathlib.Path(folder) / f"{account}.token"
        self.token.write_text(kube.account_token(namespace, account))
        self.process = machine.start(
            [driver(), f"https://127.0.0.1:{kube.port}", kube.ca.cert, str(self.token)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = Lines(self.process.stdout)

    def say(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def wait(self, fits=lambda answer: True):
        return json.loads(self.lines.wait(lambda line: fits(json.loads(line))))

    def ask(self, verb, path, body=None, query=None):
        command = {"verb": verb, "path": path}
        command.update({"body": body} if body is not None else {})
        command.update({"query": query} if query else {})
        self.say(**command)
        return self.wait()

    def close(self):
        self.process.kill()
        self.process.wait()


def account(kube, namespace, name, rules):
    """A service account with a Role in its namespace."""
    kube.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}})
    place = f"{RBAC}/namespaces/{namespace}"
    kube.create(f"{place}/roles", {"metadata": {"name": name}, "rules": rules})
    kube.create(f"{place}/rolebindings", {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}]})


@pytest.fixture(scope="module")
def rights(kube):
    kube.namespace("client")
    account(kube, "client", "me", [{
        "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["own"],
        "verbs": ["get", "list", "watch", "create", "update", "patch"]}])


@pytest.fixture
def client(kube, rights, tmp_path):
    """May do with the Secret `own` whatever it likes, and with no other."""
    one = Client(kube, tmp_path, "client", "me")
    yield one
    one.close()
    kube.delete("/api/v1/namespaces/client/secrets/own")


def shell(name):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}


def test_objects_rights_and_watches(kube, client):
    """One story, since each step needs the one before."""
    own = f"{SECRETS}/own"
    assert client.ask("get", own)["kind"] == "missing"
    # A creation has no name that RBAC could look at; server-side apply has one.
    refused = client.ask("create", SECRETS, shell("own"))
    assert refused["kind"] == "denied" and "verbs [create]" in refused["error"]
    refused = client.ask("apply", f"{SECRETS}/other", shell("other"), "fieldManager=me")
    assert refused["kind"] == "denied" and "resourceNames [\"other\"]" in refused["error"]
    made = client.ask("apply", own, shell("own"), "fieldManager=me")["object"]
    again = client.ask("apply", own, shell("own"), "fieldManager=me")["object"]
    assert again["metadata"]["uid"] == made["metadata"]["uid"]

    first = dict(again, data={"a": "MQ=="})
    changed = client.ask("update", own, first)
    assert changed.get("object", {}).get("data") == {"a": "MQ=="}, changed
    late = client.ask("update", own, first)  # by the version from before
    assert (late["kind"], late["cause"]) == ("retry", 409), late
    merged = client.ask("merge", own, {"data": {"a": None, "b": "Mg=="}})["object"]
    assert merged["data"] == {"b": "Mg=="}
    patched = client.ask("json", own, [{"op": "add", "path": "/data/c", "value": "Mw=="}])
    assert patched["object"]["data"] == {"b": "Mg==", "c": "Mw=="}

    # All secrets may not be seen, the own one may be followed.
    client.say(watch=SECRETS)
    assert "verbs [list]" in client.wait(lambda a: "error" in a)["error"]
    client.say(watch=SECRETS, name="own")
    listed = client.wait(lambda a: "listed" in a)["listed"]
    assert [o["metadata"]["name"] for o in listed] == ["own"]
    client.say(verb="merge", path=own, body={"data": {"d": "NA=="}})
    seen = client.wait(lambda a: "changed" in a)
    assert seen["changed"]["data"]["d"] == "NA==" and not seen["gone"]
    kube.delete(own)
    assert client.wait(lambda a: a.get("gone") is True)


def test_a_new_token_is_taken(kube, client):
    good = client.token.read_text()
    client.token.write_text("no token")
    assert client.ask("get", f"{SECRETS}/own")["kind"] == "auth"
    client.token.write_text(good)
    assert client.ask("get", f"{SECRETS}/own")["kind"] == "missing"


def test_watch_survives_compaction_and_restart(kube, client, tmp_path):
    """The API server is stopped, its old versions are thrown away, and it comes back."""
    client.ask("apply", f"{SECRETS}/own", shell("own"), "fieldManager=me")
    client.say(watch=SECRETS, name="own", metadata=True)
    listed = client.wait(lambda a: "listed" in a)["listed"]
    assert "data" not in listed[0] and listed[0]["metadata"]["name"] == "own"
    with kube.away():
        assert client.wait(lambda a: "error" in a)["kind"] == "retry"
    label = {"metadata": {"labels": {"seen": "yes"}}}
    kube.call("PATCH", f"{SECRETS}/own", label, content_type="application/merge-patch+json")
    client.wait(lambda a: "yes" in json.dumps(a.get("changed") or a.get("listed") or ""))
