# SPDX-License-Identifier: Apache-2.0
"""A real OpenBao of two nodes: the agent asks the standby, and goes on when the active node
steps down."""

import json
import pathlib

import pytest

import bao as bao_server
import machine
from agent_run import Agent, deliver, memory_folder, read, remove_folder, template, wait_until

DB = '{{ with secret "kv/data/app" }}{{ .Data.data.password }}{{ end }}'
UP = (200, 429, 473)  # active, or one of the two kinds of standby


class Node(bao_server.Bao):
    """One of several; `of` is the first, whose data it shares."""

    def __init__(self, folder, authority, name, of=None):
        super().__init__(folder, durable=True, authority=authority)
        self.name, self.of = name, of
        if of:
            self.root, self.unseal_key = of.root, of.unseal_key

    def _write_config(self):
        path = super()._write_config()
        config = json.loads(path.read_text())
        cluster = f"127.0.0.1:{machine.free_port()}"
        config["cluster_addr"] = f"https://{cluster}"
        config["listener"][0]["tcp"]["cluster_address"] = cluster
        raft = config["storage"]["raft"]
        raft.update(node_id=self.name, performance_multiplier=1)
        if self.of:
            raft["retry_join"] = [{"leader_api_addr": self.of.http}]
        path.write_text(json.dumps(config))
        return path

    def unseal(self):
        """Until it has joined, it does not take the key."""
        def try_it():
            try:
                self.api("PUT", "sys/unseal", {"key": self.unseal_key}, None)
            except (bao_server.BaoError, OSError):
                pass
            return self.health() in UP
        self._wait(try_it)


@pytest.fixture(name="pair")
def _pair(session_folder, authority):
    with Node(session_folder / "n1", authority, "n1") as first:
        wait_until("the active node", lambda: first.health() == 200, 60)
        with Node(session_folder / "n2", authority, "n2", of=first) as second:
            yield first, second


def active(nodes, limit=60):
    return wait_until("an active node", lambda: next(
        (n for n in nodes if n.health() == 200), None), limit)


def test_a_standby_and_a_change_of_the_active_node(pair):
    first, second = pair
    folder = memory_folder()
    first.kv2("kv")
    first.put("kv/data/app", {"data": {"password": "one"}})
    first.policy("app", ("kv/data/app", "read"))
    token = pathlib.Path(folder) / "token"
    token.write_text(first.token(["app"]))
    assert second.health() != 200
    a = Agent(folder, (
        f'vault {{\n address = "{second.http}"\n}}\nauto_auth {{\n method "token_file" {{\n'
        f'  config = {{ token_file_path = "{token}" }}\n }}\n}}\n'
        'template_config {\n static_secret_render_interval = "1s"\n}\n'
        + deliver(folder, "app") + template(f"{folder}/app/db", DB)))
    try:
        a.started(60)
        assert read(f"{folder}/app/db") == "one"
        first.put("sys/step-down")
        now = active(pair)
        now.put("kv/data/app", {"data": {"password": "two"}})
        wait_until("the new value", lambda: read(f"{folder}/app/db") == "two", 60)
        assert a.probe("ready").returncode == 0 and read(f"{folder}/app/db") == "two"
        assert len(a.events("login")) == 1
    finally:
        a.close()
        remove_folder(folder)
