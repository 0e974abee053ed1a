# SPDX-License-Identifier: Apache-2.0
"""Exec mode against a real OpenBao, and beside the real `bao agent`: the same configuration,
the same command."""

import json
import subprocess

import pytest

import bao as bao_server
from agent_run import memory_folder, prog, remove_folder, template
from test_exec import Exec

APP = prog("exec_app")


@pytest.fixture(name="folder")
def _folder():
    path = memory_folder()
    yield path
    remove_folder(path)


@pytest.fixture(name="secret")
def _secret(bao):
    bao.kv2("kv")
    bao.put("kv/data/exec", {"data": {"password": "first"}})
    bao.policy("exec", ("kv/data/exec", "read"))
    return lambda value: bao.put("kv/data/exec", {"data": {"password": value}})


def config(bao, folder, command=None):
    with open(f"{folder}/token", "w", encoding="utf-8") as f:
        f.write(bao.token(["exec"]))
    text = json.dumps('{{ with secret "kv/data/exec" }}{{ .Data.data.password }}{{ end }}')
    run = f"exec {{ command = {json.dumps(command)} }}\n" if command else ""
    return (f'vault {{ address = "{bao.http}" }}\n'
            f'auto_auth {{ method "token_file" {{ config = {{ token_file_path = "{folder}/token" }} }} }}\n'
            'template_config { static_secret_render_interval = "1s" exit_on_retry_failure = true }\n'
            f'env_template "PASSWORD" {{ contents = {text} }}\n{run}')


@pytest.fixture(name="start")
def _start(bao, secret, folder):
    running = []

    def start(command, *args, more="", **keys):
        running.append(Exec(folder, config(bao, folder) + more, command, *args, **keys))
        return running[-1]

    yield start
    for r in running:
        if r.process.poll() is None:
            r.signal(15)
            r.ended()
        r.close()


def test_start_change_and_end(folder, secret, start):
    more = template(f"{folder}/file", '{{ with secret "kv/data/exec" }}{{ .Data.data.password }}{{ end }}')
    x = start([APP, "--env", "PASSWORD", "--env", "VAULT_TOKEN", "--exit", "5"], more=more,
              env={"VAULT_TOKEN": "canary"})
    x.says("env PASSWORD=first")
    x.says("env VAULT_TOKEN=(unset)")
    x.started()
    secret("second")
    x.says("sig 15 value 0")
    x.says("env PASSWORD=second")
    x.started()
    x.signal(15)
    assert x.ended() == 5
    assert "second" not in "\n".join(x.log.all())


def test_the_token_is_not_in_the_command(bao, folder, secret, start):
    x = start([APP])
    pid = x.started()["pid"]
    with open(f"/proc/{pid}/environ", "rb") as f:
        environment = f.read()
    with open(f"{folder}/token", "rb") as f:
        assert f.read() not in environment
    assert b"PASSWORD=first" in environment


@pytest.mark.parametrize("command, peers, ours", [
    ([APP, "--env", "PASSWORD", "--code", "0"], 0, 0),
    ([APP, "--env", "PASSWORD", "--code", "3"], 3, 3),
    ([APP, "--die", "15"], 255, 143),
    (["/no/such"], 1, 127),
    (["/etc/passwd"], 1, 126),
])
def test_beside_the_peer(bao, folder, secret, command, peers, ours):
    """The README's table: equal codes, and each difference as it says."""
    path = f"{folder}/peer.hcl"
    with open(path, "w", encoding="utf-8") as f:
        f.write(config(bao, folder, command))
    peer = subprocess.run([bao_server.binary(), "agent", f"-config={path}"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False)
    x = Exec(folder, config(bao, folder, command), [])
    try:
        assert (peer.returncode, x.ended()) == (peers, ours)
        said = [line for line in peer.stdout.splitlines() if line.startswith("env ")]
        assert x.app.all() == said
    finally:
        x.close()
