# SPDX-License-Identifier: Apache-2.0
"""Bitnami's Sealed Secrets: what kubeseal seals, the store opens in the agent's place; the
test program store_get drives it."""
import hashlib
import json
import subprocess

import pytest

from agent_run import prog
from machine import start
from seal_run import built


@pytest.fixture(scope="session", name="kubeseal")
def _kubeseal():
    return built("kubeseal")


class Controller:
    """The keys of a Sealed Secrets controller, and its manifests."""

    def __init__(self, folder, kubeseal):
        self.folder, self.kubeseal = folder, kubeseal
        self.keys, self.file = folder / "keys.pem", folder / "sealed.yaml"
        self.keys.touch(mode=0o600)
        self.count = 0

    def rotate(self, bits=2048):
        """A further key; the old ones stay."""
        self.count += 1
        self.cert = self.folder / f"tls{self.count}.crt"
        key = self.folder / f"tls{self.count}.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", f"rsa:{bits}", "-nodes", "-keyout",
                        key, "-out", self.cert, "-days", "2", "-subj", "/CN=sealed"],
                       check=True, capture_output=True)
        with self.keys.open("a") as f:
            f.write(key.read_text() + self.cert.read_text())

    def seal(self, name, namespace, data, scope="strict", form="yaml"):
        secret = {"apiVersion": "v1", "kind": "Secret", "stringData": data,
                  "metadata": {"name": name, "namespace": namespace}}
        done = subprocess.run([self.kubeseal, "--cert", self.cert, "--scope", scope, "-o", form],
                              input=json.dumps(secret).encode(), capture_output=True, check=True)
        return done.stdout.decode()

    def write(self, *docs):
        new = self.folder / "new"
        new.write_text("---\n".join(docs))
        new.rename(self.file)


class Store:
    def __init__(self, folder, **options):
        config = folder / "store.json"
        config.write_text(json.dumps({"type": "sealedsecrets", "options": options}))
        self.process = start([prog("store_get"), config], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)

    def do(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


@pytest.fixture(name="controller")
def _controller(tmp_path, kubeseal):
    c = Controller(tmp_path, kubeseal)
    c.rotate()
    return c


@pytest.fixture(name="open_store")
def _open_store(tmp_path, controller):
    stores = []

    def open_store(**options):
        stores.append(Store(tmp_path, file=str(controller.file), key_file=str(controller.keys),
                            **options))
        return stores[-1]

    yield open_store
    for s in stores:
        s.close()


def digest(data):
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def expect(answer, data):
    assert answer["ok"], answer
    assert digest(data) in json.dumps(answer)


def test_scopes_keys_and_rotation(controller, open_store):
    one, two = {"user": "a", "password": "p"}, {"password": "q" * 5000}
    docs = [controller.seal("db", "shop", one), controller.seal("wide", "shop", one,
                                                                "namespace-wide")]
    controller.rotate(3072)  # a new key: both are tried
    docs += [controller.seal("all", "x", two, "cluster-wide"), controller.seal("api", "other", two)]
    controller.write(*docs)
    store = open_store(namespace="shop")
    expect(store.do("get", "db"), one)
    expect(store.do("get", "shop/db"), one)
    expect(store.do("get", "wide"), one)
    expect(store.do("get", "all"), two)
    answer = store.do("get", "other/api")
    assert not answer["ok"] and "is of namespace 'other'" in answer["error"]
    answer = store.do("get", "nothing")
    assert not answer["ok"] and answer["kind"] == "missing"
    controller.write(controller.seal("db", "shop", two), *docs[1:])
    store.do("wait")
    expect(store.do("get", "db"), two)


def test_a_moved_item_does_not_open(controller, open_store):
    text = controller.seal("db", "shop", {"a": "1"})
    controller.write(text.replace("name: db", "name: dc"))
    store = open_store(namespace="shop")
    answer = store.do("get", "dc")
    assert not answer["ok"] and answer["kind"] == "denied"
    controller.write(text.replace("namespace: shop", "namespace: other"))
    store = open_store(namespace="other")
    assert store.do("get", "db")["kind"] == "denied"


def test_key_file_mode(controller, open_store):
    controller.write(controller.seal("db", "shop", {"a": "1"}))
    controller.keys.chmod(0o644)
    answer = open_store().do("get", "db")
    assert not answer["ok"] and "chmod 600" in answer["error"]
