# SPDX-License-Identifier: Apache-2.0
"""The store "sealed" from outside, mounted as a ConfigMap is: rotation, rollback, removal and
an attacker's old file, told through the ..data swap. The program store_get drives it."""
import hashlib
import json
import os
import shutil
import subprocess

import pytest

from agent_run import prog
from machine import start
from seal_run import Seal


class ConfigMap:
    """A volume as the kubelet makes it: the file is a link through ..data, which is swapped."""

    def __init__(self, folder):
        self.folder, self.count = folder, 0
        folder.mkdir()

    def publish(self, source):
        self.count += 1
        new, old = self.folder / f"..v{self.count}", self.folder / f"..v{self.count - 1}"
        new.mkdir()
        shutil.copy(source, new / source.name)
        (self.folder / "..data_tmp").symlink_to(new.name)
        (self.folder / "..data_tmp").rename(self.folder / "..data")
        link = self.folder / source.name
        if not link.is_symlink():
            link.symlink_to(f"..data/{source.name}")
        shutil.rmtree(old, ignore_errors=True)
        return str(link)


class Store:
    def __init__(self, folder, **options):
        config = folder / "store.json"
        config.write_text(json.dumps({"type": "sealed", "options": options}))
        self.process = start([prog("store_get"), config], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)

    def do(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(60) == 0


@pytest.fixture(name="seal")
def _seal(tmp_path):
    return Seal(tmp_path)


@pytest.fixture(name="volume")
def _volume(tmp_path):
    return ConfigMap(tmp_path / "volume")


@pytest.fixture(name="open_store")
def _open_store(tmp_path):
    stores = []

    def open_store(**options):
        stores.append(Store(tmp_path, **options))
        return stores[-1]

    yield open_store
    for s in stores:
        s.close()


def value_is(answer, value):
    text = json.dumps({"value": value}, separators=(",", ":"))
    return answer["ok"] and hashlib.sha256(text.encode()).hexdigest() in json.dumps(answer)


def test_changes_reach_the_store(seal, volume, open_store):
    seal.put("db", "one")
    store = open_store(file=volume.publish(seal.file), key_file=str(seal.key))
    assert value_is(store.do("get", "db"), "one")
    for change, value in ((lambda: seal.put("db", "two"), "two"),
                          (lambda: seal.run("rollback", "db"), "one"),
                          (lambda: seal.run("remove", "db"), None),
                          (lambda: seal.run("rollback", "db", "--to", 2), "two")):
        change()
        volume.publish(seal.file)
        assert store.do("wait")["ok"]
        answer = store.do("get", "db")
        if value is None:
            assert (answer["kind"], answer["cause"]) == ("missing", 410)
        else:
            assert value_is(answer, value)


def test_an_older_file_is_refused_while_running(seal, volume, open_store, tmp_path):
    seal.put("db", "one")
    old = tmp_path / "old" / seal.file.name
    old.parent.mkdir()
    shutil.copy(seal.file, old)
    seal.put("db", "two")
    options = {"file": volume.publish(seal.file), "key_file": str(seal.key)}
    store = open_store(**options)
    assert value_is(store.do("get", "db"), "two")
    volume.publish(old)
    store.do("wait")
    answer = store.do("get", "db")
    assert answer["kind"] == "denied" and "was at version 2 already" in answer["error"]
    # A restarted agent knows it by min_generation only.
    assert value_is(open_store(**options).do("get", "db"), "one")
    answer = open_store(**options, min_generation=2).do("get", "db")
    assert answer["kind"] == "denied" and "min_generation demands 2" in answer["error"]


def test_signatures_are_demanded(seal, open_store, tmp_path):
    key = tmp_path / "writer.key"
    writer = seal.keygen(key, "--signing")
    seal.put("db", "one", "--sign", key)
    store = open_store(file=str(seal.file), key_file=str(seal.key), writers=[writer])
    assert value_is(store.do("get", "db"), "one")
    seal.put("db", "by anybody who has the public key")
    store.do("wait")
    answer = store.do("get", "db")
    assert answer["kind"] == "denied" and "no writer's signature" in answer["error"]


def test_a_rotated_key_is_used_at_once(seal, open_store, tmp_path):
    new = tmp_path / "new.txt"
    public = seal.keygen(new)
    seal.put("db", "one")
    mounted = tmp_path / "mounted"
    shutil.copy(seal.key, mounted)
    store = open_store(file=str(seal.file), key_file=str(mounted))
    assert value_is(store.do("get", "db"), "one")
    seal.run("rekey", "-i", seal.key, "-r", public)
    store.do("wait")
    assert store.do("get", "db")["kind"] == "denied"
    os.replace(new, mounted)
    store.do("wait")
    assert value_is(store.do("get", "db"), "one")


def test_scopes(seal, open_store):
    seal.put("db", "one", "-n", "shop", "-a", "web")
    options = {"file": str(seal.file), "key_file": str(seal.key)}
    assert value_is(open_store(**options, namespace="shop", service_account="web")
                    .do("get", "db"), "one")
    for place in ({}, {"namespace": "shop"}, {"namespace": "other", "service_account": "web"},
                  {"namespace": "shop", "service_account": "api"}):
        assert open_store(**options, **place).do("get", "db")["kind"] == "denied"
