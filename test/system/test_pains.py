# SPDX-License-Identifier: Apache-2.0
"""What users of the peers have complained of for years, one named test each, against a real
OpenBao. The rows are numbered in the order in which they were collected; those that another
file shows are named there."""

import os
import stat

import pytest

from agent_run import Agent, deliver, memory_folder, read, remove_folder, template, wait_until


@pytest.fixture(name="folder")
def _folder():
    path = memory_folder()
    yield path
    remove_folder(path)


@pytest.fixture(name="start")
def _start(folder):
    running = []

    def start(config, *args, **keys):
        running.append(Agent(folder, config, *args, **keys))
        return running[-1]

    yield start
    for r in running:
        r.close()


def login(bao, folder, *rules, sinks="", interval="5m"):
    """The peer's own configuration, with an AppRole that has these rights."""
    bao.policy("pains", *rules)
    role_id, secret_id = bao.approle("pains", ["pains"])
    for name, text in (("role-id", role_id), ("secret-id", secret_id)):
        with open(f"{folder}/{name}", "w", encoding="ascii") as f:
            f.write(text)
    return (f'vault {{\n address = "{bao.https}"\n ca_cert = "{bao.authority.cert}"\n}}\n'
            f'auto_auth {{\n method "approle" {{\n  config = {{\n'
            f'   role_id_file_path = "{folder}/role-id"\n'
            f'   secret_id_file_path = "{folder}/secret-id"\n  }}\n }}\n{sinks}}}\n'
            f'template_config {{\n static_secret_render_interval = "{interval}"\n}}\n'
            + deliver(folder, "app"))


def test_03_kv1_without_a_ttl_is_polled(bao, folder, start):
    """The peers take KV 1's default of 768 hours for a lease. Here it is polled like any
    secret, at its own interval; a `ttl` key says when its owner wants it read again."""
    bao.put("kv1/pain3", {"password": "first"})
    bao.put("kv1/pain3-ttl", {"password": "first", "ttl": "2s"})
    text = '{{ with secret "kv1/%s" }}{{ .Data.password }}{{ end }}'
    a = start(login(bao, folder, ("kv1/*", "read")) +
              template(f"{folder}/app/own", text % "pain3", interval="1s") +
              template(f"{folder}/app/ttl", text % "pain3-ttl")).started()
    assert read(f"{folder}/app/own") == read(f"{folder}/app/ttl") == "first"
    bao.put("kv1/pain3", {"password": "second"})
    bao.put("kv1/pain3-ttl", {"password": "second", "ttl": "2s"})
    wait_until("the poll", lambda: read(f"{folder}/app/own") == "second")
    wait_until("the ttl", lambda: read(f"{folder}/app/ttl") == "second")
    assert not a.events("secret not fetched")


def test_19_files_and_tokens_have_the_mode_and_owner_that_is_wanted(bao, folder, start):
    """From the first byte, also after each rotation; the peers' are 0640 and the agent's."""
    root = os.geteuid() == 0
    uid, gid = (4711, 4712) if root else (os.geteuid(), os.getegid())
    bao.put("kv/data/pain19", {"data": {"password": "first"}})
    sink = (f' sink "file" {{\n  config = {{\n   path = "{folder}/app/token"\n   mode = 0440\n'
            f'   uid = {uid}\n   gid = {gid}\n  }}\n }}\n')
    text = '{{ with secret "kv/data/pain19" }}{{ .Data.data.password }}{{ end }}'
    start(login(bao, folder, ("kv/data/pain19", "read"), sinks=sink, interval="1s") +
          template(f"{folder}/app/db", text, perms="0400", user=str(uid), group=str(gid)) +
          template(f"{folder}/app/plain", text)).started()
    for value in ("first", "second"):
        bao.put("kv/data/pain19", {"data": {"password": value}})
        wait_until(value, lambda: read(f"{folder}/app/db") == value)
        found = {n: os.stat(f"{folder}/app/{n}") for n in ("db", "token", "plain")}
        modes = {n: stat.S_IMODE(s.st_mode) for n, s in found.items()}
        assert (modes["db"], modes["token"]) == (0o400, 0o440)
        assert modes["plain"] in (0o400, 0o440, 0o644)
        assert all((found[n].st_uid, found[n].st_gid) == (uid, gid) for n in ("db", "token"))


def test_26_a_secret_that_will_be_deleted_is_readable_until_then(bao, folder, start):
    """With delete_version_after each version has a deletion_time ahead, which is no deletion;
    when it has come, it is one."""
    bao.put("kv/metadata/pain26", {"delete_version_after": "8s"})
    bao.put("kv/data/pain26", {"data": {"password": "first"}})
    assert bao.get("kv/data/pain26")["data"]["metadata"]["deletion_time"]
    text = '{{ with secret "kv/data/pain26" }}{{ .Data.data.password }}{{ end }}'
    a = start(login(bao, folder, ("kv/data/pain26", "read"), interval="1s") +
              template(f"{folder}/app/db", text, on_revoked="remove")).started()
    assert read(f"{folder}/app/db") == "first"
    assert "was deleted" in a.event("gone")["error"]
    wait_until("the removal", lambda: read(f"{folder}/app/db") is None)
    bao.put("kv/data/pain26", {"data": {"password": "second"}})
    wait_until("the next version", lambda: read(f"{folder}/app/db") == "second")
