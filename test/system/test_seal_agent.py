# SPDX-License-Identifier: Apache-2.0
"""A running agent over a sealed file that is mounted as a ConfigMap is: rotation, rollback,
removal, an older file, a damaged line; each told by inotify through the ..data swap."""
import json
import os
import pathlib
import shutil

import pytest

from agent_run import Agent, deliver, memory_folder, read, remove_folder, template, wait_until
from seal_run import Seal
from test_seal_store import ConfigMap

DB = '{{ with secret "app/db" }}{{ .Data.value }}{{ end }}\n'
MAIL = '{{ with secret "app/mail" }}{{ .Data.user }}:{{ .Data.key }}{{ end }}\n'


@pytest.fixture(name="folder")
def _folder():
    path = memory_folder()
    yield path
    remove_folder(path)


@pytest.fixture(name="seal")
def _seal(tmp_path):
    seal = Seal(tmp_path)
    seal.put("app/db", "one", "-n", "shop", "-a", "web")
    seal.put("app/mail", '{"user": "u", "key": "k"}')
    return seal


@pytest.fixture(name="volume")
def _volume(tmp_path, seal):
    volume = ConfigMap(tmp_path / "volume")
    volume.publish(seal.file)
    return volume


@pytest.fixture(name="start")
def _start(folder, seal, volume):
    running = []

    def start(extra=""):
        store = (f'store "sealed" {{\n type = "sealed"\n'
                 f' file = "{volume.folder / seal.file.name}"\n key_file = "{seal.key}"\n'
                 f' namespace = "shop"\n service_account = "web"\n{extra}}}\n')
        templates = (template(f"{folder}/app/db", DB, on_revoked="remove") +
                     template(f"{folder}/app/mail", MAIL))
        running.append(Agent(folder, store + deliver(folder, "app") + templates))
        return running[-1]

    yield start
    for a in running:
        a.close()


def shows(folder, name, text):
    path = f"{folder}/app/{name}"
    wait_until(f"{name} is {text!r}",
               lambda: os.path.exists(path) and read(path) == text)


def test_rotation_rollback_removal(folder, seal, volume, start):
    start().started()
    shows(folder, "db", "one\n")
    shows(folder, "mail", "u:k\n")
    seal.put("app/db", "two")
    volume.publish(seal.file)
    shows(folder, "db", "two\n")
    seal.run("rollback", "app/db")
    volume.publish(seal.file)
    shows(folder, "db", "one\n")
    seal.run("remove", "app/db")
    volume.publish(seal.file)
    wait_until("db is gone", lambda: not os.path.exists(f"{folder}/app/db"))
    shows(folder, "mail", "u:k\n")
    seal.run("rollback", "app/db", "--to", 2)
    volume.publish(seal.file)
    shows(folder, "db", "two\n")


def test_an_older_or_damaged_file_changes_nothing(folder, seal, volume, start, tmp_path):
    old = tmp_path / "old" / seal.file.name
    old.parent.mkdir()
    shutil.copy(seal.file, old)
    seal.put("app/db", "two")
    volume.publish(seal.file)
    a = start().started()
    shows(folder, "db", "two\n")
    volume.publish(old)
    wait_until("the older file is refused", lambda: "was at version 2 already" in a.output())
    text = seal.file.read_text()
    broken = pathlib.Path(old)
    broken.write_text(text.replace(seal.line("app/db", 2), "entry app/db 2 rubbish"))
    volume.publish(broken)
    wait_until("the damaged line is named", lambda: "is damaged" in json.dumps(a.status()))
    shows(folder, "db", "two\n")
    seal.put("app/mail", '{"user": "v", "key": "k"}')  # the other entry goes on
    broken.write_text(seal.file.read_text().replace(seal.line("app/db", 2),
                                                    "entry app/db 2 rubbish"))
    volume.publish(broken)
    shows(folder, "mail", "v:k\n")
    shows(folder, "db", "two\n")
    volume.publish(seal.file)
    seal.put("app/db", "three")
    volume.publish(seal.file)
    shows(folder, "db", "three\n")


def test_values_are_in_no_line_of_the_agent(folder, seal, volume, start):
    canary = "canary-51e07f3a9c"
    seal.put("app/db", canary)
    volume.publish(seal.file)
    a = start().started()
    shows(folder, "db", canary + "\n")
    seal.put("app/db", canary + "2", "-n", "other")
    volume.publish(seal.file)
    wait_until("the scope is refused", lambda: "namespace 'other'" in a.output())
    a.stop()
    assert canary not in a.output()
    assert "AGE-SECRET-KEY" not in a.output()
