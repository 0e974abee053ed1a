# SPDX-License-Identifier: Apache-2.0
"""Exec mode: start, environment, signals, restart, exit codes, process 1, terminal. The store is
the sealed file; the run against a real server, beside the peer, is in test_exec_bao.py."""

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

import machine
from agent_run import (AGENT, TOOL, Lines, Sealed, memory_folder, prog, read, remove_folder, run, template,
                       wait_until)

PASSWORD = '{{ with secret "db/password" }}{{ .Data.value }}{{ end }}'


@pytest.fixture(name="folder")
def _folder():
    path = memory_folder()
    yield path
    remove_folder(path)


@pytest.fixture(name="sealed")
def _sealed(folder):
    store = Sealed(folder)
    store.put("db/password", "first")
    return store


def variable(name, contents=PASSWORD, **keys):
    lines = "".join(f" {k} = {json.dumps(v)}\n" for k, v in keys.items())
    return f'env_template "{name}" {{\n contents = {json.dumps(contents)}\n{lines}}}\n'


class Exec:
    """An agent in exec mode; its command's words and its own arrive apart."""

    def __init__(self, folder, config, command, *args, wrap=(), env=None, group=False):
        self.config = f"{folder}/exec.hcl"
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(config)
        behind = ["--", *command] if command else []
        self.process = machine.start(
            [*wrap, AGENT, "--config", self.config, "--log-format", "json", *args, *behind],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=not group, env={**os.environ, **(env or {})})
        self.app, self.log = Lines(self.process.stdout), Lines(self.process.stderr)

    def started(self):
        words = self.app.wait(lambda line: line.startswith("start ")).split()
        return {words[i]: int(words[i + 1]) for i in range(2, len(words), 2)}

    def says(self, text):
        return self.app.wait(lambda line: line == text)

    def logs(self, text):
        return self.log.wait(lambda line: text in line)

    def signal(self, number):
        self.process.send_signal(number)

    def ended(self, limit=machine.LIMIT_S):
        code = self.process.wait(timeout=limit)
        self.app.thread.join(limit)
        self.log.thread.join(limit)
        return code

    def output(self):
        return "\n".join(self.app.all() + self.log.all())

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture(name="start")
def _start(folder):
    running = []

    def start(config, command, *args, **keys):
        running.append(Exec(folder, config, command, *args, **keys))
        return running[-1]

    yield start
    for r in running:
        for line in r.app.all():
            found = re.search(r"start .* pid (\d+) ppid", line)
            if found and r.process.poll() is None:
                try:
                    os.kill(int(found[1]), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        r.close()


APP = prog("exec_app")


# --- what the command gets ----------------------------------------------------------------

def test_variables_and_files_together(folder, sealed, start):
    x = start(sealed.store() + variable("PASSWORD") + template(f"{folder}/file", PASSWORD),
              ["sh", "-c", f'echo "$PASSWORD $(cat {folder}/file)"; exit 7'])
    assert x.ended() == 7
    assert x.app.all() == ["first first"]


def test_the_configuration_names_the_command(sealed, start):
    config = sealed.store() + variable("PASSWORD")
    x = start(config + f'exec {{\n command = ["{APP}", "--env", "PASSWORD", "--code", "3"]\n}}\n', [])
    assert x.ended() == 3 and x.app.all() == ["env PASSWORD=first"]
    x = start(config + 'exec {\n command = "/no/such"\n}\n', [APP, "--code", "4"])
    assert x.ended() == 4  # behind -- wins


def test_json_with_labels(folder, sealed, start):
    document = {"store": {"sealed": {"type": "sealed", "file": sealed.file, "key_file": sealed.key}},
                "env_template": [{"A": {"contents": PASSWORD}}, {"B": {"contents": "b"}}],
                "exec": {"command": [APP, "--env", "A", "--env", "B", "--code", "0"]}}
    x = start(json.dumps(document), [])
    assert x.ended() == 0 and x.app.all() == ["env A=first", "env B=b"]


def test_nothing_of_ours_in_the_environment(sealed, start):
    mine = {"AMPOULE_CONFIG": "ours", "AMPOULE_LOG_LEVEL": "info", "VAULT_TOKEN": "t", "BAO_TOKEN": "t",
            "VAULT_CONFIG": "c", "BAO_CONFIG": "c", "VAULT_SECRET_ID": "s", "BAO_SECRET_ID": "s"}
    words = [w for name in (*mine, "VAULT_ADDR", "PASSWORD") for w in ("--env", name)]
    config = sealed.store() + variable("PASSWORD") + variable("BAO_TOKEN", "the user's own")
    x = start(config, [APP, *words, "--code", "0"], env={**mine, "VAULT_ADDR": "http://127.0.0.1:1"})
    assert x.ended() == 0
    got = dict(line[4:].split("=", 1) for line in x.app.all())
    assert got.pop("BAO_TOKEN") == "the user's own"
    assert got.pop("VAULT_ADDR") == "http://127.0.0.1:1"
    assert got.pop("PASSWORD") == "first"
    assert set(got.values()) == {"(unset)"}


def test_a_variable_wins_over_the_inherited_one(sealed, start):
    x = start(sealed.store() + variable("PASSWORD"), [APP, "--env", "PASSWORD", "--code", "0"],
              env={"PASSWORD": "old"})
    assert x.ended() == 0 and x.app.all() == ["env PASSWORD=first"]


def test_descriptors_mask_and_limits_are_those_of_the_caller(sealed, start):
    text = ("ls /proc/self/fd | wc -l; grep -E '^(SigBlk|NoNewPrivs)' /proc/self/status | tr '\\t' ' ';"
            " ulimit -c; ulimit -Hc")
    plain = run("sh", "-c", text).stdout
    x = start(sealed.store() + variable("PASSWORD"), ["sh", "-c", text])
    assert x.ended() == 0
    assert x.app.all() == plain.splitlines()


@pytest.mark.parametrize("value, reason", [
    ('a{{ "\\x00" }}b', "holds a NUL byte"),
    ("{{ range loop 14000 }}0123456789{{ end }}", "the kernel takes at most 131072"),
])
def test_impossible_values_are_refused_with_their_name(sealed, start, value, reason):
    x = start(sealed.store() + variable("PASSWORD", value), [APP])
    assert x.ended() == 1
    last = x.log.all()[-1]
    assert "'PASSWORD'" in last and reason in last and "0123456789" not in last


def test_too_much_in_all_is_explained(sealed, start):
    config = sealed.store() + "".join(
        variable(f"V{i}", "{{ range loop 12000 }}0123456789{{ end }}") for i in range(20))
    x = start(config, ["sh", "-c", "exit 0"], wrap=["prlimit", "--stack=1048576"])
    assert x.ended() == 1
    assert "a quarter of the stack limit" in x.log.all()[-1]


# --- exit codes ---------------------------------------------------------------------------

@pytest.mark.parametrize("command, code", [
    ([APP, "--code", "0"], 0), ([APP, "--code", "3"], 3), ([APP, "--code", "255"], 255),
    ([APP, "--die", "15"], 143), ([APP, "--die", "9"], 137), ([APP, "--die", "6"], 134),
    (["/no/such"], 127), (["no-such-program"], 127), (["/etc/passwd"], 126), (["/tmp"], 126),
])
def test_exit_code(sealed, start, command, code):
    x = start(sealed.store() + variable("PASSWORD"), command)
    assert x.ended() == code
    if code in (126, 127):
        assert f"command '{command[0]}'" in x.log.all()[-1]


def test_a_command_is_wanted(folder, sealed):
    config = f"{folder}/c.hcl"
    with open(config, "w", encoding="utf-8") as f:
        f.write(sealed.store() + variable("PASSWORD"))
    assert "exec stanza" in run(AGENT, "--config", config, check=False).stderr
    assert run(AGENT, "--config", config, "--", check=False).returncode == 2


def test_the_start_has_a_deadline(sealed, start):
    missing = '{{ with secret "db/none" }}{{ .Data.value }}{{ end }}'
    x = start(sealed.store() + variable("PASSWORD", missing), [APP], "--timeout", "1s")
    assert x.ended() == 1
    assert "db/none" in x.log.all()[-1] and not x.app.all()


def test_asked_to_end_before_the_start(sealed, start):
    missing = '{{ with secret "db/none" }}{{ .Data.value }}{{ end }}'
    x = start(sealed.store() + variable("PASSWORD", missing), [APP])
    x.logs("not fetched")
    x.signal(signal.SIGTERM)
    assert x.ended() == 143  # a job that never ran has not succeeded


# --- signals ------------------------------------------------------------------------------

def test_a_thousand_signals_in_order(sealed, start):
    """Alternating standard signals, then real-time signals that queue, with their values."""
    x = start(sealed.store() + variable("PASSWORD"), [APP])
    x.started()
    for i in range(500):
        number = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGWINCH)[i % 4]
        x.signal(number)
        assert x.app.wait(lambda line: True) == f"sig {int(number)} value 0"
    libc = ctypes.CDLL(None, use_errno=True)
    libc.sigqueue.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
    for i in range(500):
        assert libc.sigqueue(x.process.pid, 40, i) == 0
    for i in range(500):
        assert x.app.wait(lambda line: True) == f"sig 40 value {i}"
    x.signal(signal.SIGTERM)
    assert x.ended() == 0


def test_every_signal_that_can_be_passed_on(sealed, start):
    x = start(sealed.store() + variable("PASSWORD"), [APP, "--deaf"])
    x.started()
    ours = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE,
            signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGSYS, signal.SIGPIPE, signal.SIGTTIN,
            signal.SIGTTOU, 32, 33}
    libc = ctypes.CDLL(None)
    # Stopping signals last: each is followed by the one that continues.
    for number in [n for n in range(1, 65) if n not in ours and n != signal.SIGTSTP]:
        assert libc.kill(x.process.pid, number) == 0
        assert x.app.wait(lambda line: True) == f"sig {number} value 0"
    assert x.process.poll() is None


def test_the_end_waits_for_the_command(sealed, start):
    x = start(sealed.store() + variable("PASSWORD"), [APP, "--exit", "7"])
    x.started()
    x.signal(signal.SIGTERM)
    x.says("sig 15 value 0")
    assert x.ended() == 7


def test_own_group_without_a_terminal(sealed, start):
    x = start(sealed.store() + variable("PASSWORD"), [APP])
    who = x.started()
    assert who["group"] == who["pid"] and who["ppid"] == x.process.pid
    assert who["session"] == os.getsid(x.process.pid)


# --- change -------------------------------------------------------------------------------

def test_restart_on_change(sealed, start):
    x = start(sealed.store() + variable("PASSWORD"), [APP, "--env", "PASSWORD"])
    x.says("env PASSWORD=first")
    first = x.started()
    sealed.put("db/password", "second")
    x.says("sig 15 value 0")
    x.says("env PASSWORD=second")
    assert x.started()["pid"] != first["pid"]
    x.signal(signal.SIGTERM)
    assert x.ended() == 0


def test_a_deaf_command_is_killed_after_its_time(sealed, start):
    x = start(sealed.store() + variable("PASSWORD") +
              'exec {\n restart_stop_signal = "SIGUSR1"\n restart_stop_timeout = "300ms"\n}\n',
              [APP, "--deaf", "--env", "PASSWORD"])
    x.started()
    sealed.put("db/password", "second")
    x.says("sig 10 value 0")
    x.says("env PASSWORD=second")
    x.started()


def test_what_the_old_command_left_behind_ends_with_it(folder, sealed, start):
    x = start(sealed.store() + variable("PASSWORD"),
              ["sh", "-c", f"sleep 1000 & echo $! >{folder}/left-$PASSWORD; exec {APP} --env PASSWORD"])
    x.started()
    left = int(wait_until("the sleep", lambda: read(f"{folder}/left-first")))
    sealed.put("db/password", "second")
    x.says("env PASSWORD=second")
    wait_until("its end", lambda: " Z " in (read(f"/proc/{left}/stat") or " Z "))
    os.kill(int(wait_until("the next sleep", lambda: read(f"{folder}/left-second"))), signal.SIGKILL)


def test_never_restarts_when_told_so(sealed, start):
    x = start(sealed.store() + variable("PASSWORD", notify=["signal:USR2@child"]) +
              'exec {\n restart_on_secret_changes = "never"\n}\n', [APP])
    x.started()
    sealed.put("db/password", "second")
    assert x.app.wait(lambda line: True) == f"sig {int(signal.SIGUSR2)} value 0"
    x.signal(signal.SIGTERM)
    assert x.ended() == 0
    assert not any("restart" in line for line in x.log.all())


def test_a_file_signals_the_command(folder, sealed, start):
    x = start(sealed.store() + template(f"{folder}/file", PASSWORD, notify=["signal:HUP@child"]), [APP])
    x.started()
    sealed.put("db/password", "second")
    x.says("sig 1 value 0")
    assert read(f"{folder}/file") == "second"


def test_an_impossible_new_value_costs_nothing(folder, sealed, start):
    """The command keeps running with what it has; a good value restarts it again."""
    text = f"{folder}/v.tmpl"
    with open(text, "w", encoding="utf-8") as f:
        f.write(PASSWORD)
    x = start(sealed.store() + f'env_template "PASSWORD" {{\n source = "{text}"\n}}\n',
              [APP, "--env", "PASSWORD"])
    x.started()
    with open(text, "w", encoding="utf-8") as f:
        f.write('a{{ "\\x00" }}b')
    x.logs("command keeps its old variables")
    with open(text, "w", encoding="utf-8") as f:
        f.write("good")
    x.says("env PASSWORD=good")


def test_no_restart_once_it_is_asked_to_end(sealed, start):
    x = start(sealed.store() + variable("PASSWORD"), [APP, "--deaf"])
    pid = x.started()["pid"]
    x.signal(signal.SIGTERM)
    x.says("sig 15 value 0")
    sealed.put("db/password", "second")
    x.logs("no restart")
    os.kill(pid, signal.SIGKILL)
    assert x.ended() == 137
    assert not any('"restart"' in line for line in x.log.all())


# --- commands of templates -----------------------------------------------------------------

@pytest.mark.skipif(os.geteuid() != 0, reason="needs a mount namespace")
def test_a_line_for_a_shell_that_is_not_there_is_refused_at_the_start(folder, sealed):
    hide = ["unshare", "--mount", "bash", "-c", 'mount --bind /etc/passwd "$(readlink -f /bin/sh)" && exec "$@"', "-"]

    def start(command):
        path = f"{folder}/c.hcl"
        with open(path, "w", encoding="utf-8") as f:
            f.write(sealed.store() + template(f"{folder}/file", PASSWORD, command=command))
        return subprocess.run([*hide, AGENT, "--config", path, "--once"], capture_output=True, text=True,
                              timeout=60, check=False)

    done = start(f"echo x >{folder}/said && true")
    assert done.returncode == 1 and read(f"{folder}/file") is None
    assert f"template: {folder}/file: its command needs a shell" in done.stderr.splitlines()[-1]
    assert start(f"touch {folder}/said").returncode == 0  # plain words need none
    assert os.path.exists(f"{folder}/said")


def test_a_line_runs_where_there_is_a_shell(folder, sealed):
    path = f"{folder}/c.hcl"
    with open(path, "w", encoding="utf-8") as f:
        f.write(sealed.store() + template(f"{folder}/file", PASSWORD, command=f"echo x >{folder}/said && true"))
    run(AGENT, "--config", path, "--once")
    assert read(f"{folder}/said") == "x\n"


# --- --once, probes -----------------------------------------------------------------------

def test_once_becomes_the_command(sealed, start):
    x = start(sealed.store() + variable("PASSWORD"), [APP, "--env", "PASSWORD"], "--once")
    x.says("env PASSWORD=first")
    assert x.started()["pid"] == x.process.pid
    assert os.readlink(f"/proc/{x.process.pid}/exe") == os.path.realpath(APP)
    x.signal(signal.SIGTERM)
    assert x.ended() == 0


def test_once_with_a_command_that_is_not_there(sealed, start):
    x = start(sealed.store() + variable("PASSWORD"), ["/no/such"], "--once")
    assert x.ended() == 127


def test_startup_means_that_the_command_runs(folder, sealed, start):
    socket = f"{folder}/s.sock"
    x = start(f'status_socket = "{socket}"\n' + sealed.store() + variable("PASSWORD"), [APP])
    wait_until("the socket", lambda: os.path.exists(socket))
    run(AGENT, "--probe", "startup", "--wait", "--timeout", "20s", "--socket", socket)
    children = read(f"/proc/{x.process.pid}/task/{x.process.pid}/children").split()
    assert len(children) == 1
    files = json.loads(run(TOOL, "status", "--json", "--socket", socket).stdout)["files"]
    assert [(f["file"], f["state"], f["secrets"]) for f in files] == [
        ("$PASSWORD", "published", "sealed:db/password@1")]
    assert "$PASSWORD" in run(TOOL, "status", "--socket", socket).stdout
    assert os.readlink(f"/proc/{children[0]}/exe") == os.path.realpath(APP)


# --- process 1 ----------------------------------------------------------------------------

@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs a PID namespace")
def test_as_process_1_no_zombie_after_10000_orphans(sealed, start):
    x = start(sealed.store() + variable("PASSWORD"), [APP, "--orphans", "10000"],
              wrap=["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"])
    x.app.wait(lambda line: line == "orphans 10000 zombies 0", limit=120)
    assert x.started()["ppid"] == 1
    inside = int(read(f"/proc/{x.process.pid}/task/{x.process.pid}/children").split()[0])
    os.kill(inside, signal.SIGTERM)  # a signal without a handler would be lost on process 1
    x.says("sig 15 value 0")
    assert x.ended() == 0


# --- terminal -----------------------------------------------------------------------------

@pytest.fixture(name="terminal")
def _terminal():
    opened = []

    def terminal(*argv, **keys):
        opened.append(machine.Terminal(argv, **keys))
        return opened[-1]

    yield terminal
    for t in opened:
        t.close()


def state(pid):
    return read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()[0]


@pytest.fixture(name="config")
def _config(folder, sealed):
    path = f"{folder}/exec.hcl"
    with open(path, "w", encoding="utf-8") as f:
        f.write(sealed.store() + variable("PASSWORD"))
    return path


def test_ctrl_c_reaches_the_command_once(terminal, config):
    t = terminal(AGENT, "--config", config, "--log-level", "error", "--", APP, "--deaf")
    t.shows(r"start .*")
    # A second one could merge with the first while that is pending: not each of twenty times.
    for _ in range(20):
        t.type("\x03")
        t.shows("sig 2 value 0")
        os.kill(t.pid, signal.SIGUSR1)  # a person's: passed on, behind whatever was before
        t.shows("sig 10 value 0")
    assert t.everything.count("sig 2 ") == 20
    t.type("\x1c")  # Ctrl-\
    t.shows("sig 3 value 0")
    os.kill(t.pid, signal.SIGINT)
    t.shows("sig 2 value 0")


def test_the_command_shares_the_foreground(terminal, config):
    t = terminal(AGENT, "--config", config, "--log-level", "error", "--", APP)
    found = t.shows(r"start .* pid (\d+) ppid (\d+) group (\d+) session (\d+)")
    assert int(found[3]) == t.pid == int(found[4]) == os.tcgetpgrp(t.fd)


@pytest.mark.skipif(not shutil.which("bash"), reason="needs a shell with job control")
def test_job_control_in_an_interactive_shell(terminal, config):
    t = terminal("bash", "--norc", "--noprofile", "-i", env={"PS1": "ready> ", "TERM": "dumb"})
    t.shows("ready> ")
    t.type(f"{AGENT} --config {config} --log-level error -- cat\n")
    wait_until("the command", lambda: children_of(t.pid))
    agent = wait_until("the agent", lambda: children_of(t.pid))[0]
    app = wait_until("the command", lambda: children_of(agent))[0]
    t.type("hello\n")
    t.shows("hello\r\nhello\r\n")  # the terminal's echo and cat's: it reads the terminal
    t.type("\x1a")
    t.shows(r"Stopped")
    t.shows("ready> ")
    # The shell waits for the agent alone; the command stops by the same key, when it runs next.
    wait_until("both stopped", lambda: state(agent) == "T" and state(app) == "T")
    t.type("fg\n")
    wait_until("both run", lambda: state(agent) != "T" and state(app) != "T" and t.has_lines())
    t.type("again\n")
    t.shows("again\r\nagain\r\n")
    t.type("\x04")
    t.shows("ready> ")
    t.type("echo code=$?\n")
    t.shows("code=0\r\n")


def children_of(pid):
    return [int(x) for x in (read(f"/proc/{pid}/task/{pid}/children") or "").split()]
