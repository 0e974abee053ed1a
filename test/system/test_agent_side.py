# SPDX-License-Identifier: Apache-2.0
"""Files that a template writes beside its own (writeToFile), and the ends of a start that
has no hope."""

import os
import stat

import pytest

from agent_run import Agent, Sealed, deliver, memory_folder, read, remove_folder, template, wait_until

BOTH = ('{{ with secret "app/db" }}{{ .Data.value | writeToFile "%s" "" "" "0400" }}'
        'cert of {{ .Data.value }}{{ end }}\n')


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
    running = []

    def start(config, *args, **keys):
        running.append(Agent(folder, config, *args, **keys))
        return running[-1]

    yield start
    for r in running:
        r.close()


def pair(folder):
    """What one descriptor of the application's folder shows: certificate and key."""
    fd = os.open(f"{folder}/app", os.O_RDONLY | os.O_DIRECTORY)
    try:
        texts = []
        for name in ("cert", "key"):
            with open(os.open(name, os.O_RDONLY, dir_fd=fd), encoding="utf-8") as f:
                texts.append(f.read())
        return texts
    finally:
        os.close(fd)


def test_a_side_file_is_published_with_its_template(folder, sealed, start):
    a = start(sealed.store() + deliver(folder, "app")
              + template(f"{folder}/app/cert", BOTH % f"{folder}/app/key")).started()
    assert pair(folder) == ["cert of first\n", "first"]
    assert stat.S_IMODE(os.stat(f"{folder}/app/key").st_mode) == 0o400
    sealed.put("app/db", "second")
    wait_until("both are new", lambda: pair(folder) == ["cert of second\n", "second"])
    assert a.file_status("/key")["generation"] == a.file_status("/cert")["generation"] == 2
    sealed.remove("app/db")
    a.event("remove", file=f"{folder}/app/key")
    wait_until("both are gone", lambda: not os.path.exists(f"{folder}/app/key")
               and not os.path.exists(f"{folder}/app/cert"))


def test_a_side_file_is_appended_within_one_run(folder, sealed, start):
    text = ('{{ range loop 3 }}{{ . | print | writeToFile "%s" "" "" "0644" "append,newline" }}{{ end }}'
            '{{ with secret "app/db" }}{{ .Data.value }}{{ end }}' % f"{folder}/app/all")
    start(sealed.store() + deliver(folder, "app") + template(f"{folder}/app/x", text)).started()
    assert read(f"{folder}/app/all") == "0\n1\n2\n"
    sealed.put("app/db", "second")
    wait_until("it was run again", lambda: read(f"{folder}/app/x") == "second")
    assert read(f"{folder}/app/all") == "0\n1\n2\n"


@pytest.mark.parametrize("path", ["/etc/ampoule-test", "{folder}/elsewhere/x", "{folder}/app/../x",
                                  "relative", "{folder}/app/cert"])
def test_a_side_file_stays_in_granted_folders(folder, sealed, start, path):
    path = path.format(folder=folder)
    a = start(sealed.store() + deliver(folder, "app")
              + template(f"{folder}/app/cert", BOTH % path) + template(f"{folder}/app/other", "x"))
    line = a.event("template not rendered", template=f"{folder}/app/cert")
    assert "writeToFile" in line["error"] and "first" not in line["error"]
    wait_until("the other is there", lambda: os.path.exists(f"{folder}/app/other"))
    assert not os.path.exists(f"{folder}/app/cert") and not os.path.exists("/etc/ampoule-test")


def test_write_dirs_grants_a_folder(folder, sealed, start):
    a = start(sealed.store() + deliver(folder, "app") + f'policy {{\n write_dirs = ["{folder}/granted"]\n}}\n'
              + template(f"{folder}/app/cert", BOTH % f"{folder}/granted/a/key"), "--once")
    assert a.ended() == 0
    assert read(f"{folder}/granted/a/key") == "first"


def test_beside_a_plain_file(folder, sealed, start):
    a = start(sealed.store() + template(f"{folder}/plain/cert", BOTH % f"{folder}/plain/key"), "--once")
    assert a.ended() == 0
    assert (read(f"{folder}/plain/cert"), read(f"{folder}/plain/key")) == ("cert of first\n", "first")
    b = start(sealed.store() + template(f"{folder}/plain/cert", BOTH % f"{folder}/key"), "--once",
              env={"AMPOULE_START_TIMEOUT": "1s"}, name="b")
    assert b.ended() == 1 and "write_dirs" in b.output()


# --- ends ---------------------------------------------------------------------------------

STOP = "template_config {\n exit_on_retry_failure = true\n}\n"


def test_a_start_without_hope_ends_when_the_rest_is_written(folder, sealed, start):
    config = (sealed.store() + STOP + template(f"{folder}/bad", '{{ with secret "app/db" }}{{ .Data.value.x }}{{ end }}')
              + template(f"{folder}/good", '{{ with secret "app/db" }}{{ .Data.value }}{{ end }}'))
    for args in ((), ("--once",)):
        a = start(config, *args)
        assert a.ended() == 1
        assert "exit_on_retry_failure" in a.output() and f"template '{folder}/bad'" in a.output()
        assert read(f"{folder}/good") == "first" and not os.path.exists(f"{folder}/bad")


def test_a_sidecar_that_has_started_stays(folder, sealed, start):
    """Its end would take the renewal of everything else with it."""
    a = start(sealed.store() + STOP + template(
        f"{folder}/db", '{{ with secret "app/db" }}{{ if eq .Data.value "bad" }}{{ .Data.value.x }}{{ end }}'
        '{{ .Data.value }}{{ end }}')).started()
    sealed.put("app/db", "bad")
    a.event("template not rendered")
    sealed.put("app/db", "good")
    wait_until("it goes on", lambda: read(f"{folder}/db") == "good")
    assert a.stop() == 0


def test_a_template_that_is_not_fatal_ends_nothing(folder, sealed, start):
    a = start(sealed.store() + STOP + template(
        f"{folder}/bad", '{{ with secret "app/db" }}{{ .Data.value.x }}{{ end }}', error_fatal=False)
        + template(f"{folder}/good", '{{ with secret "app/db" }}{{ .Data.value }}{{ end }}'))
    a.event("publish", file=f"{folder}/good")
    assert a.process.poll() is None and a.stop() == 0
