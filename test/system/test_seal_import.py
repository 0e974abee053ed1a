# SPDX-License-Identifier: Apache-2.0
"""`ampoule seal import`: manifests, dotenv files, a real OpenBao."""
import json

import pytest

from seal_run import Seal

SECRET = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: not-this}
---
apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: shop
type: Opaque
data:
  password: aHVudGVyMg==
  blob: /wA=
stringData:
  user: app
---
{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mail"}, "data": {"key": "eA=="}}
"""


@pytest.fixture(name="seal")
def _seal(tmp_path):
    return Seal(tmp_path)


def value(seal, path):
    return json.loads(seal.get(path))


def write(tmp_path, text, name="source"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_kubernetes_secrets(seal, tmp_path):
    source = write(tmp_path, SECRET, "s.yaml")
    done = seal.run("import", source, "-r", seal.recipient, "--prefix", "k8s")
    assert b"'blob' holds bytes that are no text" in done.stderr
    assert b"hunter2" not in done.stdout + done.stderr + seal.file.read_bytes()
    assert value(seal, "k8s/db") == {"password": "hunter2", "blob": "/wA=", "user": "app"}
    assert value(seal, "k8s/mail") == {"key": "x"}
    assert seal.line("k8s/db", 1).split(" ")[4] == "shop"
    assert seal.line("k8s/mail", 1).split(" ")[4] == "*"
    seal.run("import", source, "--prefix", "k8s", "--anywhere")
    assert seal.line("k8s/db", 2).split(" ")[4] == "*"


def test_all_or_nothing(seal, tmp_path):
    seal.put("a", "1")
    before = seal.file.read_bytes()
    bad = SECRET.replace("eA==", "!!")
    assert "data.key" in seal.fails("import", write(tmp_path, bad))
    assert seal.file.read_bytes() == before


@pytest.mark.parametrize("text, why", [
    ("apiVersion: v1\nkind: ConfigMap\n", "no Secret"),
    ("apiVersion: v1\nkind: Secret\ndata: {a: eA==}\n", "has no name"),
    ("kind: Secret\na: &x 1\nb: *x\n", "line 3: an alias"),
])
def test_refused_manifests(seal, tmp_path, text, why):
    assert why in seal.fails("import", write(tmp_path, text), "-r", seal.recipient, "--format",
                             "kubernetes")
    assert not seal.file.exists()


DOTENV = [
    ("A=1\n", {"A": "1"}),
    ("export A=1\r\n# c\n\n  B = two words # c\n", {"A": "1", "B": "two words"}),
    ("A='$x `y` \\n #'\n", {"A": "$x `y` \\n #"}),
    ('A="a\\nb\\t\\"\\\\\\$"', {"A": 'a\nb\t"\\$'}),
    ("A='x\ny'\nB=\n", {"A": "x\ny", "B": ""}),
    ("A=a#b\nB=#c\n", {"A": "a#b", "B": ""}),
]


@pytest.mark.parametrize("text, data", DOTENV)
def test_dotenv(seal, text, data):
    seal.run("import", "-", "-r", seal.recipient, "--prefix", "app/env", "--format", "dotenv",
             value=text.encode())
    assert value(seal, "app/env") == data


@pytest.mark.parametrize("text, line", [
    ("A", 1), ("1A=x", 1), ("A=1\nA=2", 2), ("A='x", 1), ('A="$x"', 1), ("A=$x", 1),
    ("A='x'y", 1), ('A="\\q"', 1), ("A B=1", 1), ("\n\nA=`id`", 3), ("A='x\n'\nB", 3),
])
def test_refused_dotenv(seal, text, line):
    assert f"line {line}: " in seal.fails("import", "-", "-r", seal.recipient, "--prefix", "e",
                                          "--format", "dotenv", value=text.encode())
    assert not seal.file.exists()


def test_vault(seal, bao, tmp_path, authority):
    """Through the same store as the agent's; a folder with a slash at its end."""
    bao.api("POST", "kv/data/imp/one", {"data": {"user": "u1", "n": 1}})
    bao.api("POST", "kv/data/imp/deep/two", {"data": {"user": "u2"}})
    bao.api("POST", "kv1/imp", {"user": "u3"})
    token = tmp_path / "token"
    token.write_text(bao.root)
    env = {"VAULT_ADDR": bao.https, "VAULT_CACERT": authority.cert, "VAULT_TOKEN": ""}
    seal.run("import", "--format", "vault", "kv/imp/", "-r", seal.recipient, "--prefix", "v",
             "--token-file", token, env=env)
    assert value(seal, "v/kv/imp/one") == {"user": "u1", "n": 1}
    assert value(seal, "v/kv/imp/deep/two") == {"user": "u2"}
    env["VAULT_TOKEN"] = bao.root
    seal.run("import", "--format", "vault", "kv1/imp", env=env)
    assert value(seal, "kv1/imp") == {"user": "u3"}
    text = seal.fails("import", "--format", "vault", "kv/none", env=env)
    assert "kv/none" in text
    env["VAULT_TOKEN"] = "wrong"
    seal.fails("import", "--format", "vault", "kv1/imp", env=env)
