# SPDX-License-Identifier: Apache-2.0
"""wait, num_retries, exit_on_retry_failure, error_fatal, exit_on_err, intervals and
rotate_every: the peer's words, each with its effect on one file and on no other. A token file
and the hostile stand-in, which needs no server."""
import os
import time

import pytest

import vault as fake_vault
from agent_run import Agent, memory_folder, read, remove_folder, template, wait_until

GOOD = '{{ with secret "kv/good" }}{{ .Data.data.v }}{{ end }}\n'
NONE = '{{ with secret "kv/none" }}{{ .Data.data.v }}{{ end }}\n'
BAD = '{{ with secret "kv/good" }}{{ index .Data.data.v 9999 }}{{ end }}\n'


@pytest.fixture(name="folder")
def _folder():
    path = memory_folder()
    yield path
    remove_folder(path)


@pytest.fixture(name="site")
def _site(fake, folder):
    s = Site(fake, folder)
    yield s
    for a in s.agents:
        a.close()


class Site:
    def __init__(self, fake, folder):
        self.fake, self.folder, self.agents, self.version = fake, folder, [], 0
        fake.login()
        self.put("first")
        with open(f"{folder}/token", "w", encoding="ascii") as f:
            f.write("a-token")

    def put(self, value, name="good"):
        self.version += 1
        self.fake.on(f"kv/data/{name}",
                     fake_vault.Answer(json=fake_vault.kv2({"v": value}, self.version)))

    def start(self, *templates, args=(), retries=2, interval="1s", method="", **config):
        keys = "".join(f"  {k} = {v}\n" for k, v in config.items())
        text = (f'vault {{\n  address = "{self.fake.address}"\n'
                f'  retry {{\n    num_retries = {retries}\n  }}\n}}\n'
                f'auto_auth {{\n  method "token_file" {{\n{method}    config = {{\n'
                f'      token_file_path = "{self.folder}/token"\n    }}\n  }}\n}}\n'
                f'template_config {{\n  static_secret_render_interval = "{interval}"\n{keys}}}\n'
                f'deliver "app" {{\n folder = "{self.folder}/app"\n'
                f' mount = "{self.folder}/app"\n}}\n')
        self.agents.append(Agent(self.folder, text + "".join(templates), *args,
                                 name=f"a{len(self.agents)}"))
        return self.agents[-1]

    def file(self, name, contents=GOOD, **keys):
        return template(f"{self.folder}/app/{name}", contents, **keys)

    def read(self, name):
        return read(f"{self.folder}/app/{name}")


# --- starts that cannot succeed -----------------------------------------------------------

@pytest.mark.parametrize("args", [(), ("--once",)])
def test_retries_used_up_end_a_start_with_the_reason(site, args):
    a = site.start(site.file("good"), site.file("none", NONE), args=args,
                   exit_on_retry_failure="true")
    assert a.ended() == 1
    last = a.output().splitlines()[-1]
    assert "exit_on_retry_failure" in last and "kv/none" in last
    assert site.fake.count("kv/data/none") == 3  # one, and two retries


def test_without_the_rule_a_missing_secret_is_waited_for(site):
    a = site.start(site.file("good"), site.file("none", NONE), retries=-1)
    wait_until("the good file", lambda: site.read("good") == "first\n")
    a.event("secret not fetched")
    wait_until("more tries", lambda: site.fake.count("kv/data/none") >= 3)
    site.put("late", "none")
    wait_until("the late file", lambda: site.read("none") == "late\n")


def test_retries_never_end_an_agent_that_has_delivered(site):
    a = site.start(site.file("good"), retries=-1, exit_on_retry_failure="true").started()
    site.fake.on("kv/data/good", fake_vault.Answer(404, json=fake_vault.errors()))
    wait_until("tries", lambda: site.fake.count("kv/data/good") >= 4)
    assert a.process.poll() is None and site.read("good") == "first\n"
    site.put("second")
    wait_until("recovery", lambda: site.read("good") == "second\n")


def test_a_template_error_ends_a_start_at_once(site):
    a = site.start(site.file("bad", BAD), args=("--once",), exit_on_retry_failure="true")
    assert a.ended() == 1
    assert "template" in a.output().splitlines()[-1] and site.read("bad") is None


def test_a_template_error_that_is_not_fatal_holds_up_nothing(site):
    a = site.start(site.file("good"), site.file("bad", BAD, error_fatal=False),
                   args=("--once",), exit_on_retry_failure="true")
    assert a.ended() == 0
    assert site.read("good") == "first\n" and site.read("bad") is None
    a = site.start(site.file("good"), site.file("bad", BAD, error_fatal=False)).started()
    site.put("x" * 10000)
    wait_until("the file whose template works now", lambda: site.read("bad") == "120\n")
    assert a.process.poll() is None


def test_a_login_that_fails_ends_a_start_when_asked(site):
    site.fake.on("auth/token/lookup-self",
                 fake_vault.Answer(403, json=fake_vault.errors("permission denied")))
    a = site.start(site.file("good"), method="    exit_on_err = true\n")
    assert a.ended() == 1 and "exit_on_err" in a.output().splitlines()[-1]


def test_a_new_reason_is_told_once(site):
    a = site.start(site.file("none", NONE), retries=-1)
    assert "404" in a.event("secret not fetched")["error"] or True
    site.fake.on("kv/data/none", fake_vault.Answer(
        403, json=fake_vault.errors("1 error occurred:\n\t* permission denied\n\n")))
    a.event("secret not fetched", kind="denied")
    count = site.fake.count("kv/data/none")
    wait_until("more tries", lambda: site.fake.count("kv/data/none") >= count + 2)
    assert len([x for x in a.events("secret not fetched") if x["level"] == "warn"]) == 2


# --- quiet times and intervals ------------------------------------------------------------

def test_wait_gathers_changes_and_holds_up_no_other_file(site):
    a = site.start(site.file("good", wait="3s:20s"), site.file("other")).started()
    site.put("second")
    wait_until("the other file", lambda: site.read("other") == "second\n")
    assert site.read("good") == "first\n"
    site.put("third")
    wait_until("the other file", lambda: site.read("other") == "third\n")
    assert site.read("good") == "first\n"
    wait_until("the quiet file", lambda: site.read("good") == "third\n")

    def renders():
        return [x for x in a.events("render") if x["template"].endswith("/good")]
    wait_until("it is told", lambda: len(renders()) > 1)
    assert len(renders()) == 2  # the first, and all changes at once


def test_wait_has_an_end(site):
    site.start(site.file("good", wait="3s:8s"), interval="500ms").started()
    end = time.monotonic() + 60
    n = 0
    while site.read("good") == "first\n":  # never quiet
        assert time.monotonic() < end
        n += 1
        site.put(f"v{n}")
        seen = site.fake.count("kv/data/good")
        wait_until("a poll", lambda s=seen: site.fake.count("kv/data/good") > s)
    assert n >= 3


def test_a_policy_raises_short_intervals(site):
    with open(f"{site.folder}/policy.hcl", "w", encoding="ascii") as f:
        f.write('policy {\n  min_interval = "1h"\n}\n')
    a = site.start(site.file("good", interval="1s"),
                   args=("--config", f"{site.folder}/policy.hcl")).started()
    count = site.fake.count("kv/data/good")
    time.sleep(2.5)  # two intervals, in which nothing may happen
    assert site.fake.count("kv/data/good") == count and a.process.poll() is None
    assert os.path.exists(f"{site.folder}/app/good")
