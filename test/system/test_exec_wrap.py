# SPDX-License-Identifier: Apache-2.0
"""Exec mode in a pod: the sidecar holds the secrets, a wrapper in the application's container
gets the variables over a unix socket. Both run on one machine here, as a pod would have them."""

import os
import pwd
import re
import signal
import stat
import subprocess
import time

import pytest

import machine
from agent_run import (AGENT, Agent, Lines, Sealed, deliver, memory_folder, prog, read,
                       remove_folder, run, template, wait_until)
from process_memory import search
from test_exec import PASSWORD, variable

APP = prog("exec_app")
NEVER = 'exec {\n restart_on_secret_changes = "never"\n}\n'


@pytest.fixture(name="folder")
def _folder():
    path = memory_folder()
    os.chmod(path, 0o755)
    yield path
    remove_folder(path)


@pytest.fixture(name="sealed")
def _sealed(folder):
    store = Sealed(folder)
    store.put("db/password", "first-canary-5d1")
    return store


def served(folder, *containers, **keys):
    """deliver stanzas with a socket each."""
    more = "".join(f" {k} = {v}\n" for k, v in keys.items())
    return "".join(deliver(folder, c).replace("\n}\n", f'\n env_socket = "{folder}/{c}/.env.sock"\n{more}}}\n')
                   for c in containers)


class Wrapped:
    def __init__(self, socket, *command, options=(), agent=AGENT, **keys):
        self.process = machine.start(
            [agent, "--wrap", socket, *options, "--", *command], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **keys)
        self.app, self.log = Lines(self.process.stdout), Lines(self.process.stderr)

    def says(self, text):
        return self.app.wait(lambda line: line == text)

    def started(self):
        words = self.app.wait(lambda line: line.startswith("start ")).split()
        return {words[i]: int(words[i + 1]) for i in range(2, len(words), 2)}

    def ended(self, limit=machine.LIMIT_S):
        code = self.process.wait(timeout=limit)
        self.app.thread.join(limit)
        self.log.thread.join(limit)
        return code

    def close(self):
        for line in self.app.all():
            found = re.search(r"start .* pid (\d+) ", line)
            if found and self.process.poll() is None:
                try:
                    os.kill(int(found[1]), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture(name="make")
def _make(folder):
    made = []

    def sidecar(config, *args, **keys):
        made.append(Agent(folder, config, *args, **keys))
        return made[-1]

    def wrap(*args, **keys):
        made.append(Wrapped(*args, **keys))
        return made[-1]

    sidecar.wrap = wrap
    yield sidecar
    for m in reversed(made):
        m.close()


def test_in_place(folder, sealed, make):
    make(sealed.store() + served(folder, "web") + variable("PASSWORD") + NEVER)
    w = make.wrap(f"{folder}/web/.env.sock", APP, "--env", "PASSWORD", "--env", "VAULT_TOKEN", "--exit", "4",
                  env={**os.environ, "VAULT_TOKEN": "t"})
    w.says("env PASSWORD=first-canary-5d1")
    w.says("env VAULT_TOKEN=(unset)")
    assert w.started()["pid"] == w.process.pid  # execve: nothing of the wrapper is left
    assert os.readlink(f"/proc/{w.process.pid}/exe") == os.path.realpath(APP)
    w.process.send_signal(signal.SIGTERM)
    assert w.ended() == 4


def test_the_command_inherits_no_descriptor_and_no_mask(folder, sealed, make):
    text = "ls /proc/self/fd | wc -l; grep -E '^(SigBlk|NoNewPrivs)' /proc/self/status"
    plain = run("sh", "-c", text).stdout.splitlines()
    for more in (NEVER, ""):
        sidecar = make(sealed.store() + served(folder, "web") + variable("PASSWORD") + more)
        w = make.wrap(f"{folder}/web/.env.sock", "sh", "-c", text)
        assert w.ended() == 0 and w.app.all() == plain
        assert sidecar.stop() == 0


def test_stays_and_restarts(folder, sealed, make):
    sidecar = make(sealed.store() + served(folder, "web") + variable("PASSWORD") +
                   'exec {\n restart_stop_signal = "SIGUSR1"\n restart_stop_timeout = "200ms"\n}\n')
    w = make.wrap(f"{folder}/web/.env.sock", APP, "--env", "PASSWORD", "--exit", "9")
    w.says("env PASSWORD=first-canary-5d1")
    assert w.started()["ppid"] == w.process.pid
    sealed.put("db/password", "second")
    w.says("sig 10 value 0")
    w.says("env PASSWORD=second")
    w.started()
    sidecar.event("variables", container="web", mode="stay")
    w.process.send_signal(signal.SIGTERM)
    w.says("sig 15 value 0")
    assert w.ended() == 9


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to read another process's memory")
def test_no_value_stays_in_a_wrapper_that_stays(folder, sealed, make):
    make(sealed.store() + served(folder, "web") + variable("PASSWORD"))
    w = make.wrap(f"{folder}/web/.env.sock", APP, "--env", "PASSWORD")
    app = w.started()["pid"]
    # The command may run before the wrapper does again.
    wait_until("wiped", lambda: search(w.process.pid, b"first-canary-5d1") == {True: [], False: []})
    assert search(app, b"first-canary-5d1")[False]  # the search does find one


def test_signals_through_the_socket(folder, sealed, make):
    make(sealed.store() + served(folder, "web") + NEVER +
         template(f"{folder}/web/file", PASSWORD, notify=["signal:USR2@child"]) + variable("A", "x"))
    w = make.wrap(f"{folder}/web/.env.sock", APP)
    w.started()
    sealed.put("db/password", "second")
    w.says("sig 12 value 0")
    assert read(f"{folder}/web/file") == "second"


def test_each_container_gets_its_own(folder, sealed, make):
    make(sealed.store() + served(folder, "web", "api") + NEVER + variable("PASSWORD", containers=["web"]) +
         variable("API", "for api", containers=["api"]) + variable("BOTH", "b"))
    words = [w for name in ("PASSWORD", "API", "BOTH") for w in ("--env", name)]
    w = make.wrap(f"{folder}/web/.env.sock", APP, *words, "--code", "0")
    assert w.ended() == 0
    assert w.app.all() == ["env PASSWORD=first-canary-5d1", "env API=(unset)", "env BOTH=b"]
    w = make.wrap(f"{folder}/api/.env.sock", APP, *words, "--code", "0")
    assert w.ended() == 0
    assert w.app.all() == ["env PASSWORD=(unset)", "env API=for api", "env BOTH=b"]


def number(uid):
    """A user of no name, as pwd gives users."""
    return pwd.struct_passwd(("", "", uid, uid, "", "", ""))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users")
def test_another_user_is_refused(folder, sealed, make):
    sidecar = make(sealed.store() + served(folder, "web", uid=4321) + variable("PASSWORD") + NEVER)
    sidecar.event("every file is in place")
    os.mkdir(f"{folder}/bin")
    run(AGENT, "--copy-to", f"{folder}/bin")  # who builds may do so where others cannot look
    copy = f"{folder}/bin/ampoule-agent"
    w = make.wrap(f"{folder}/web/.env.sock", "id", "-u", agent=copy, user=number(4321))
    assert w.ended() == 0 and w.app.all() == ["4321"]
    w = make.wrap(f"{folder}/web/.env.sock", "id", "-u", agent=copy, user=number(1234))
    assert w.ended() == 1 and not w.app.all()
    assert "refuses" in w.log.all()[-1] and "4321" in w.log.all()[-1]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a mount namespace")
def test_over_a_read_only_mount(folder, sealed, make):
    make(sealed.store() + served(folder, "web") + variable("PASSWORD")).event("every file is in place")
    os.mkdir(f"{folder}/app")
    script = ('mount --bind "$1/web" "$1/app" && mount -o remount,bind,ro "$1/app" && ! touch "$1/app/x" && '
              'exec "$2" --wrap "$1/app/.env.sock" --timeout 20s -- "$3" --env PASSWORD --code 0')
    done = run("unshare", "--mount", "sh", "-c", script, "-", folder, AGENT, APP)
    assert done.stdout == "env PASSWORD=first-canary-5d1\n"


def test_waits_for_the_sidecar_and_its_secrets(folder, sealed, make):
    w = make.wrap(f"{folder}/web/.env.sock", APP, "--env", "PASSWORD", "--code", "0")
    missing = PASSWORD.replace("db/password", "db/later")
    sidecar = make(sealed.store() + served(folder, "web") + variable("PASSWORD", missing))
    sidecar.event("secret not fetched")
    sealed.put("db/later", "there")
    assert w.ended() == 0 and w.app.all() == ["env PASSWORD=there"]


def test_no_sidecar_is_a_reason(folder):
    done = run(AGENT, "--wrap", f"{folder}/none.env", "--timeout", "1s", "--", "true", check=False)
    assert done.returncode == 1
    assert f"{folder}/none.env" in done.stderr and "No such file" in done.stderr


def test_what_the_sidecar_waits_for_is_the_reason(folder, sealed, make):
    make(sealed.store() + served(folder, "web") +
         variable("PASSWORD", PASSWORD.replace("db/password", "db/none")))
    w = make.wrap(f"{folder}/web/.env.sock", "true", options=["--timeout", "6s"])
    assert w.ended() == 1
    assert "variable 'PASSWORD'" in w.log.all()[-1] and "db/none" in w.log.all()[-1]


def test_an_impossible_value_is_refused_with_its_name(folder, sealed, make):
    make(sealed.store() + served(folder, "web") + variable("PASSWORD", 'a{{ "\\x00" }}b'))
    w = make.wrap(f"{folder}/web/.env.sock", "true")
    assert w.ended() == 1 and "'PASSWORD' holds a NUL" in w.log.all()[-1]


@pytest.mark.parametrize("command, code", [(["/no/such"], 127), (["/etc/passwd"], 126),
                                           ([APP, "--code", "3"], 3)])
@pytest.mark.parametrize("more", [NEVER, ""])
def test_exit_code(folder, sealed, make, command, code, more):
    make(sealed.store() + served(folder, "web") + variable("PASSWORD") + more)
    w = make.wrap(f"{folder}/web/.env.sock", *command)
    assert w.ended() == code


def test_a_sidecar_that_comes_back_restarts_nothing(folder, sealed, make):
    config = sealed.store() + served(folder, "web") + variable("PASSWORD")
    sidecar = make(config)
    w = make.wrap(f"{folder}/web/.env.sock", APP, "--env", "PASSWORD")
    pid = w.started()["pid"]
    sidecar.process.kill()
    sidecar.process.wait()
    sidecar = make(config)
    sidecar.event("variables", container="web")  # it was told again
    sealed.put("db/password", "second")
    w.says("sig 15 value 0")  # the first signal of all comes with the new value
    w.says("env PASSWORD=second")
    assert w.started()["pid"] != pid
    assert [line for line in w.app.all() if line.startswith("sig ")] == ["sig 15 value 0"]


def test_term_before_the_variables(folder):
    begin = time.monotonic()
    w = Wrapped(f"{folder}/none.env", "true")
    try:
        wait_until("the handler", lambda: int(re.search(
            r"SigBlk:\t(\w+)", read(f"/proc/{w.process.pid}/status"))[1], 16) & 1 << 14)
        w.process.send_signal(signal.SIGTERM)
        assert w.ended() == 143 and time.monotonic() - begin < 20
    finally:
        w.close()


def test_copy_to(folder, sealed):
    os.mkdir(f"{folder}/bin")
    for _ in range(2):
        run(AGENT, "--copy-to", f"{folder}/bin")
        copy = f"{folder}/bin/ampoule-agent"
        assert stat.S_IMODE(os.stat(copy).st_mode) == 0o555
        assert run(copy, "--version").stdout == run(AGENT, "--version").stdout
    assert os.listdir(f"{folder}/bin") == ["ampoule-agent"]
    assert run(AGENT, "--copy-to", f"{folder}/none", check=False).returncode == 1
    config = f"{folder}/once.hcl"
    with open(config, "w", encoding="utf-8") as f:
        f.write(sealed.store() + template(f"{folder}/out", PASSWORD))
    run(AGENT, "--copy-to", f"{folder}/bin", "--config", config, "--once")
    assert read(f"{folder}/out") == "first-canary-5d1"
