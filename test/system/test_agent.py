# SPDX-License-Identifier: Apache-2.0
"""The agent as a process, over the sealed store: render, publish, notify, observe. What
needs a real OpenBao is in test_agent_bao.py."""

import json
import os
import signal
import stat
import subprocess
import time

import pytest

from agent_run import (AGENT, TOOL, Agent, App, Sealed, deliver, memory_folder, read,
                       remove_folder, run, template, wait_until)
from process_memory import search

DB = '{{ with secret "app/db" }}{{ .Data.value }}{{ end }}\n'


@pytest.fixture(name="folder")
def _folder():
    path = memory_folder()
    yield path
    remove_folder(path)


@pytest.fixture(name="sealed")
def _sealed(folder):
    store = Sealed(folder)
    store.put("app/db", "first")
    return store


@pytest.fixture(name="start")
def _start(folder):
    """Starts agents and applications that end with the test."""
    running = []

    def start(config, *args, **keys):
        agent = Agent(folder, config, *args, **keys)
        running.append(agent)
        return agent

    def app(*args, **keys):
        a = App(*args, **keys)
        running.append(a)
        return a

    start.app = app
    yield start
    for r in running:
        r.close()


def pod(folder, sealed, *templates, containers=("app",), extra=""):
    return sealed.store() + deliver(folder, *containers) + extra + "".join(templates)


# --- once ---------------------------------------------------------------------------------

def test_once_renders_and_ends(folder, sealed, start):
    a = start(pod(folder, sealed, template(f"{folder}/app/db", DB, perms="0640")), "--once")
    assert a.ended() == 0
    assert read(f"{folder}/app/db") == "first\n"
    assert stat.S_IMODE(os.stat(f"{folder}/app/db").st_mode) == 0o640


@pytest.mark.parametrize("once", [["--once"], []], ids=["once", "a pod's sidecar"])
def test_a_start_gives_one_line_at_its_deadline(folder, sealed, once):
    log = f"{folder}/termination"
    open(log, "w", encoding="ascii").close()
    conf = f"{folder}/conf.hcl"
    with open(conf, "w", encoding="utf-8") as f:
        f.write(f'termination_log = "{log}"\n' +
                pod(folder, sealed, template(f"{folder}/app/x",
                                             '{{ with secret "no/such" }}x{{ end }}')))
    done = run(AGENT, "--config", conf, *once, "--timeout", "1s", "--log-level", "error",
               check=False)
    assert done.returncode == 1
    reason = done.stderr.strip().splitlines()[-1]
    assert "no/such" in reason and "within 1 s" in reason
    assert read(log) in reason
    assert not os.path.exists(f"{folder}/app/x")


def test_once_ends_at_once_for_a_template_that_cannot_be_parsed(folder, sealed, start):
    a = start(pod(folder, sealed, template(f"{folder}/app/x", "{{ with }}")), "--once")
    assert a.ended() == 1
    assert "app/x:1:" in a.output()


def test_configuration_error_names_file_line_and_remedy(folder):
    conf = f"{folder}/bad.hcl"
    with open(conf, "w", encoding="utf-8") as f:
        f.write('template {\n  contents = "x"\n  destinaton = "/tmp/x"\n}\n')
    done = run(AGENT, "--config", conf, check=False)
    assert done.returncode == 1
    assert "bad.hcl:3" in done.stderr and "destination" in done.stderr


def test_no_configuration_says_how_to_give_one():
    env = {k: v for k, v in os.environ.items()}
    done = subprocess.run([AGENT], capture_output=True, text=True, env=env)
    assert done.returncode == 1
    assert "--config" in done.stderr and "AMPOULE_CONFIG" in done.stderr


# --- rotation -----------------------------------------------------------------------------

def test_rotation_is_signalled_and_read(folder, sealed, start):
    pid = f"{folder}/pid"
    a = start(pod(folder, sealed, template(f"{folder}/app/db", DB,
                                           notify=[f"signal:HUP@pidfile={pid}"]))).started()
    app = start.app(f"{folder}/app/db", pid_file=pid)
    app.says("has first")
    a.event("read", container="app")
    assert a.file_status("app/db")["read"] == "yes"
    sealed.put("app/db", "second")
    app.says("has second")
    got = a.event("read", container="app")
    assert got["secrets"] == "sealed:app/db@2" and got["after_ms"] < 2000
    assert a.file_status("app/db")["notified_ms_ago"] >= 0
    sealed.rollback("app/db")
    app.says("has first")
    a.event("read", container="app", secrets="sealed:app/db@3")


def test_first_render_signals_nobody(folder, sealed, start):
    a = start(pod(folder, sealed, template(f"{folder}/app/db", DB,
                                           notify=["signal:HUP@process=nobody-runs-this"])))
    a.started()
    assert a.status()["notifications_pending"] == 0
    assert not a.events("notification failed; it is tried again")


def test_unread_is_an_alarm_and_unready(folder, sealed, start):
    pid = f"{folder}/pid"
    a = start(pod(folder, sealed, template(f"{folder}/app/db", DB,
                                           notify=[f"signal:HUP@pidfile={pid}"],
                                           unread_after="300ms:unready"))).started()
    app = start.app(f"{folder}/app/db", "--deaf", pid_file=pid)
    app.says("has first")
    a.event("read")
    assert a.probe("ready").returncode == 0
    sealed.put("app/db", "second")
    app.says("ignores")
    a.event("unread", container="app", secrets="sealed:app/db@2")
    assert a.probe("ready").returncode == 1
    assert a.file_status("app/db")["read"] == "overdue"
    assert read(f"{folder}/app/db") == "second\n"  # our read is a late one
    a.event("read")
    assert a.probe("ready").returncode == 0


def test_unread_can_roll_back(folder, sealed, start):
    a = start(pod(folder, sealed, template(f"{folder}/app/db", DB,
                                           unread_after="300ms:rollback"))).started()
    assert read(f"{folder}/app/db") == "first\n"
    a.event("read")
    sealed.put("app/db", "breaks-the-app")
    a.event("unread")
    a.event("rollback", secrets="sealed:app/db@1")
    wait_until("the old content", lambda: read(f"{folder}/app/db") == "first\n")
    sealed.put("app/db", "third")  # a newer version ends the roll-back
    wait_until("the new content", lambda: read(f"{folder}/app/db") == "third\n")


def test_two_files_of_one_secret_change_together(folder, sealed, start):
    a = start(pod(folder, sealed, template(f"{folder}/app/cert", DB),
                  template(f"{folder}/app/key", DB))).started()
    for i in range(10):
        sealed.put("app/db", f"value-{i}")
        a.event("publish")

        def both(path=f"{folder}/app/..data"):
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                texts = []
                for name in ("cert", "key"):
                    f = os.open(name, os.O_RDONLY, dir_fd=fd)
                    texts.append(os.read(f, 100))
                    os.close(f)
                return texts
            finally:
                os.close(fd)
        cert, key = both()
        assert cert == key


def test_only_the_changed_file_is_told(folder, sealed, start):
    sealed.put("app/other", "stays")
    one, two = f"{folder}/one", f"{folder}/two"
    other = DB.replace("app/db", "app/other")
    a = start(pod(folder, sealed,
                  template(f"{folder}/app/db", DB, notify=[f"command:touch {one}"]),
                  template(f"{folder}/app/other", other, notify=[f"command:touch {two}"])))
    a.started()
    wait_until("both commands", lambda: os.path.exists(one) and os.path.exists(two))
    os.unlink(one)
    os.unlink(two)
    inode = os.stat(f"{folder}/app/other").st_ino
    sealed.put("app/db", "second")
    wait_until("the command", lambda: os.path.exists(one))
    a.event("signal")
    assert not os.path.exists(two)
    assert os.stat(f"{folder}/app/other").st_ino == inode


# --- one failure stops nothing else -------------------------------------------------------

def test_a_bad_template_a_missing_secret_and_a_failing_command_stop_nothing(folder, sealed,
                                                                            start):
    a = start(pod(folder, sealed,
                  template(f"{folder}/app/parse", "{{ nofunc }}"),
                  template(f"{folder}/app/missing", DB.replace("app/db", "app/none")),
                  template(f"{folder}/app/command", DB, notify=["command:false"]),
                  template(f"{folder}/app/good", DB)))
    wait_until("the good file", lambda: read(f"{folder}/app/good") == "first\n")
    a.event("notification failed; it is tried again")
    assert read(f"{folder}/app/command") == "first\n"
    sealed.put("app/db", "second")
    wait_until("the good file", lambda: read(f"{folder}/app/good") == "second\n")
    assert a.probe("startup").returncode == 1
    assert a.probe("live").returncode == 0
    assert "nofunc" in a.file_status("app/parse")["error"]
    assert "app/none" in a.file_status("app/missing")["error"]
    sealed.put("app/none", "came late")
    wait_until("the late file", lambda: read(f"{folder}/app/missing") == "came late\n")


def test_a_failing_command_is_tried_until_it_succeeds(folder, sealed, start):
    gate = f"{folder}/gate"
    start(pod(folder, sealed, template(f"{folder}/app/db", DB,
                                       notify=[f"command:cp {gate} {folder}/done"]))).started()
    with open(gate, "w", encoding="ascii") as f:
        f.write("open")
    wait_until("the retried command", lambda: read(f"{folder}/done") == "open")


# --- removal ------------------------------------------------------------------------------

@pytest.mark.parametrize("rule,left", [("remove", None), ("keep", "first\n")])
def test_removed_secret(folder, sealed, start, rule, left):
    pid = f"{folder}/pid"
    a = start(pod(folder, sealed, template(f"{folder}/app/db", DB, on_revoked=rule,
                                           notify=[f"signal:HUP@pidfile={pid}"]))).started()
    app = start.app(f"{folder}/app/db", pid_file=pid)
    app.says("has first")
    sealed.remove("app/db")
    a.event("gone")
    if rule == "remove":
        app.says("cannot-read")
        assert a.file_status("app/db")["state"] == "removed"
    assert read(f"{folder}/app/db") == left
    sealed.put("app/db", "again")
    wait_until("the file again", lambda: read(f"{folder}/app/db") == "again\n")


def test_a_damaged_store_file_removes_nothing(folder, sealed, start):
    a = start(pod(folder, sealed, template(f"{folder}/app/db", DB,
                                           on_revoked="remove"))).started()
    whole = read(sealed.file)
    with open(sealed.file, "w", encoding="utf-8") as f:
        f.write("rubbish\n")
    a.event("secret not fetched")
    assert read(f"{folder}/app/db") == "first\n"
    with open(sealed.file, "w", encoding="utf-8") as f:
        f.write(whole)
    sealed.put("app/db", "second")
    wait_until("recovery", lambda: read(f"{folder}/app/db") == "second\n")


# --- files that the configuration names ---------------------------------------------------

def test_template_file_survives_kubernetes_swaps(folder, sealed, start):
    def version(name, text):
        os.mkdir(f"{folder}/map/{name}")
        with open(f"{folder}/map/{name}/t.tmpl", "w", encoding="utf-8") as f:
            f.write(text)
        os.symlink(name, f"{folder}/map/..data_tmp")
        os.rename(f"{folder}/map/..data_tmp", f"{folder}/map/..data")

    os.mkdir(f"{folder}/map")
    version("..1", "one " + DB)
    os.symlink("..data/t.tmpl", f"{folder}/map/t.tmpl")
    conf = (f'template {{\n source = "{folder}/map/t.tmpl"\n'
            f' destination = "{folder}/app/db"\n}}\n')
    a = start(pod(folder, sealed, conf)).started()
    assert read(f"{folder}/app/db") == "one first\n"
    for i in (2, 3, 4):
        version(f"..{i}", f"{i} " + DB)
        wait_until("the new template", lambda i=i: read(f"{folder}/app/db") == f"{i} first\n")
    version("..5", "{{ broken")
    a.event("template not usable")
    assert read(f"{folder}/app/db") == "4 first\n"
    version("..6", "6 " + DB)
    wait_until("the mended one", lambda: read(f"{folder}/app/db") == "6 first\n")


# --- signals to the agent -----------------------------------------------------------------

def test_sigterm_ends_with_zero_and_keeps_files(folder, sealed, start):
    a = start(pod(folder, sealed, template(f"{folder}/app/db", DB))).started()
    begin = time.monotonic()
    assert a.stop() == 0
    assert time.monotonic() - begin < 2
    assert read(f"{folder}/app/db") == "first\n"
    assert not os.path.exists(a.socket)


def test_sighup_reads_the_configuration_again(folder, sealed, start):
    a = start(pod(folder, sealed, template(f"{folder}/app/db", DB))).started()
    text = read(a.config)
    with open(a.config, "w", encoding="utf-8") as f:
        f.write(text + "template {\n")
    a.process.send_signal(signal.SIGHUP)
    a.event("new configuration refused; the old one stays")
    inode = os.stat(f"{folder}/app/db").st_ino
    with open(a.config, "w", encoding="utf-8") as f:
        f.write(text + template(f"{folder}/app/more", "more " + DB))
    a.process.send_signal(signal.SIGHUP)
    wait_until("the new file", lambda: read(f"{folder}/app/more") == "more first\n")
    assert os.stat(f"{folder}/app/db").st_ino == inode  # equal files are not touched
    a.process.send_signal(signal.SIGHUP)
    a.event("asked to reload", configuration="unchanged")


def test_restart_tells_nobody_when_nothing_changed(folder, sealed, start):
    mark = f"{folder}/mark"
    conf = pod(folder, sealed, template(f"{folder}/app/db", DB, notify=[f"command:touch {mark}"]))
    a = start(conf).started()
    wait_until("the first command", lambda: os.path.exists(mark))
    os.unlink(mark)
    a.process.kill()
    a.process.wait()
    b = start(conf).started()
    b.event("every file is in place")
    assert b.stop() == 0
    assert not os.path.exists(mark) and not b.events("publish")


def test_restart_tells_what_changed_meanwhile(folder, sealed, start):
    mark = f"{folder}/mark"
    conf = pod(folder, sealed, template(f"{folder}/app/db", DB, notify=[f"command:touch {mark}"]))
    a = start(conf).started()
    wait_until("the first command", lambda: os.path.exists(mark))
    os.unlink(mark)
    a.process.kill()
    a.process.wait()
    sealed.put("app/db", "while away")
    start(conf).started()
    wait_until("the command", lambda: os.path.exists(mark))
    assert read(f"{folder}/app/db") == "while away\n"


def test_restart_keeps_files_of_a_store_that_is_away(folder, sealed, start):
    conf = pod(folder, sealed, template(f"{folder}/app/db", DB),
               template(f"{folder}/app/static", "static\n"))
    a = start(conf).started()
    a.process.kill()
    a.process.wait()
    os.rename(sealed.file, sealed.file + ".away")
    b = start(conf)
    b.event("store cannot be reached; files stay as they are")
    assert read(f"{folder}/app/db") == "first\n"
    os.rename(sealed.file + ".away", sealed.file)
    b.started()


# --- policy, places, modes ----------------------------------------------------------------

def test_policy_refuses_paths_that_a_template_computes(folder, sealed, start):
    sealed.put("other/db", "not yours")
    text = '{{ with secret (printf "%s/db" "other") }}{{ .Data.value }}{{ end }}'
    a = start(pod(folder, sealed, template(f"{folder}/app/x", text),
                  extra='policy {\n name = "team-a"\n allow_paths = ["sealed:app/*"]\n}\n'))
    got = a.event("template not rendered")
    assert "team-a" in got["error"] and "sealed:other/db" in got["error"]
    assert not os.path.exists(f"{folder}/app/x")


def test_function_denylist_and_policy_refuse_functions(folder, sealed, start):
    upper = '{{ with secret "app/db" }}{{ .Data.value | toUpper }}{{ end }}'
    lower = upper.replace("toUpper", "toLower")
    a = start(pod(folder, sealed,
                  template(f"{folder}/app/upper", upper, function_denylist=["toUpper"]),
                  template(f"{folder}/app/lower", lower),
                  template(f"{folder}/app/db", DB),
                  extra='policy {\n deny_functions = ["toLow*"]\n}\n'))
    wait_until("the good file", lambda: read(f"{folder}/app/db") == "first\n")
    assert "toUpper" in a.file_status("app/upper")["error"]
    assert "toLower" in a.file_status("app/lower")["error"]


RESTRICT = """
restrict "team-a" {
  allow_paths    = ["sealed:app/*"]
  deny_functions = ["toUpper"]
}
restrict "no-pay" {
  deny_paths = ["kv/data/pay/**"]
}
"""


@pytest.mark.parametrize("text, policy, what", [
    ('{{ with secret (printf "%s/db" "other") }}{{ .Data.value }}{{ end }}', "team-a",
     "sealed:other/db"),
    ('{{ $p := "app/../other/db" }}{{ with secret $p }}{{ .Data.value }}{{ end }}', "team-a",
     "written plainly"),
    ('{{ with secret (join "/" (split "," "app,a,b")) }}{{ .Data.value }}{{ end }}', "team-a",
     "does not allow"),
    ('{{ with secret "app/db" }}{{ .Data.value | toUpper }}{{ end }}', "team-a", "toUpper"),
])
def test_what_policies_leave_to_the_agent_is_refused_in_their_name(folder, sealed, start, tmp_path,
                                                                   text, policy, what):
    """Computed paths, and functions in a template's file, which no webhook sees."""
    sealed.put("other/db", "not yours")
    sealed.put("app/a/b", "not yours")
    source = tmp_path / "x.tmpl"
    source.write_text(text)
    a = start(pod(folder, sealed, template(f"{folder}/app/db", DB),
                  f'template {{\n source = "{source}"\n destination = "{folder}/app/x"\n}}\n',
                  extra=RESTRICT))
    got = a.event("template not rendered")
    assert f"policy '{policy}'" in got["error"] and what in got["error"]
    wait_until("the good file", lambda: read(f"{folder}/app/db") == "first\n")
    assert not os.path.exists(f"{folder}/app/x")


def test_a_folder_on_disk_is_refused(folder, sealed, start, tmp_path):
    if os.statvfs(tmp_path).f_fsid == os.statvfs("/dev/shm").f_fsid:
        pytest.skip("the test's folder is no disk")
    conf = sealed.store() + deliver(tmp_path, "app") + template(f"{tmp_path}/app/db", DB)
    a = start(conf)
    assert a.ended() == 1
    assert "allow_disk" in a.output()


def test_destination_outside_of_every_container_is_refused(folder, sealed, start):
    a = start(pod(folder, sealed, template("/etc/ampoule-test", DB)))
    assert a.ended() == 1
    assert "/etc/ampoule-test" in a.output() and not os.path.exists("/etc/ampoule-test")


def test_plain_machine_without_deliver(folder, sealed, start):
    a = start(sealed.store() + template(f"{folder}/sub/db", DB, perms="0600")).started()
    path = f"{folder}/sub/db"
    assert read(path) == "first\n" and stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert not os.path.islink(path)
    a.event("read")
    sealed.put("app/db", "second")
    wait_until("the new content", lambda: read(path) == "second\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make mount namespaces")
def test_containers_are_found_by_their_mounts(folder, sealed, start):
    """Two applications in mount namespaces of their own, each with its folder at the same
    path: the one that the notification names is signalled, and receipts tell them apart."""
    mount = f"{folder}/mnt"
    os.mkdir(mount)
    conf = sealed.store() + "".join(
        f'deliver "{c}" {{\n folder = "{folder}/{c}"\n mount = "{mount}"\n}}\n'
        for c in ("web", "worker")) + template(f"{mount}/db", DB, notify=["signal:HUP@web"])
    a = start(conf).started()
    apps = {}
    for c in ("web", "worker"):
        apps[c] = start.app(f"{mount}/db", wrap=(
            "unshare", "-m", "sh", "-c",
            f'mount --bind "{folder}/{c}" "{mount}" && exec "$@"', "sh"))
        apps[c].says("has first")
        a.event("read", container=c)
    sealed.put("app/db", "second")
    apps["web"].says("has second")
    a.event("read", container="web", secrets="sealed:app/db@2")
    assert not any("signalled" in line for line in apps["worker"].lines.all())
    files = {f["container"]: f for f in a.status()["files"]}
    assert files["web"]["read"] == "yes" and files["worker"]["read"] == "no"


# --- secrets stay where they belong -------------------------------------------------------

def test_no_secret_in_any_output(folder, sealed, start):
    canary = "canary-5f1c9d77"
    sealed.put("app/db", canary)
    a = start(pod(folder, sealed, template(f"{folder}/app/db", DB),
                  template(f"{folder}/app/bad", '{{ with secret "app/db" }}'
                           "{{ .Data.value | parseJSON }}{{ end }}"),
                  template(f"{folder}/app/worse", '{{ with secret "app/db" }}'
                           "{{ .Data.value.x }}{{ end }}")), "--log-level", "trace")
    wait_until("the file", lambda: read(f"{folder}/app/db") == canary + "\n")
    a.event("template not rendered")
    status = json.dumps(a.status())
    table = run(TOOL, "status", "--socket", a.socket).stdout
    pid = a.process.pid
    proc = "".join(open(f"/proc/{pid}/{name}", "rb").read().decode("utf-8", "replace")
                   for name in ("cmdline", "environ"))
    assert a.stop() == 0
    for text in (status, table, proc, a.output()):
        assert canary not in text


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to read another process's memory")
def test_memory_holds_the_secret_in_the_arena_only(folder, sealed, start):
    """One idle second after a publication. The arena keeps the content, to compare the next
    one with; nothing else has a copy, nor of the version before but for the roll-back's."""
    canaries = [f"memory-canary-{i}-9b3e" for i in range(3)]
    sealed.put("app/db", canaries[0])
    a = start(pod(folder, sealed, template(f"{folder}/app/db", DB))).started()
    for value in canaries[1:]:
        sealed.put("app/db", value)
        wait_until("the content", lambda v=value: read(f"{folder}/app/db") == v + "\n")
    time.sleep(1)  # the idle second of the promise, not a wait for an event
    found = [search(a.process.pid, c.encode()) for c in canaries]
    assert [hits[False] for hits in found] == [[], [], []]
    assert len(found[0][True]) == 0  # two versions ago: wiped
    assert 1 <= len(found[2][True]) <= 3


def test_the_agent_cannot_be_dumped(folder, sealed, start):
    a = start(pod(folder, sealed, template(f"{folder}/app/db", DB))).started()
    pid = a.process.pid
    with open(f"/proc/{pid}/limits", encoding="utf-8") as f:
        core = next(line for line in f if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
    assert os.stat(f"/proc/{pid}/mem").st_uid == 0  # dumpable 0: root owns its files
