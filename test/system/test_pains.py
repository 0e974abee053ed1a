# SPDX-License-Identifier: Apache-2.0
"""What users of the peers have complained of for years, one named test each, against a real
OpenBao. The rows are numbered in the order in which they were collected; those that another
file shows are named there.

 1  an agent of 75 MB                     here
 4  a pod start makes two credentials     here (test_state.py)
 5  a restart or login makes them again   here (test_state.py, test_faults.py: …token…)
 6  runaway credentials                   test_faults.py: test_refused_renewals_mint_once_a_lease
                                          unit: mint_test.c, source_test.c (…pile_up)
 7  a revoked token is not noticed        test_faults.py: test_revoked_token_costs_one_login_…
 8  renewals in a busy loop               here
 9  an outage drops leases                test_faults.py: test_outage_keeps_the_file_…
10  one failure restarts everything       test_faults.py: test_one_path_that_fails_delays_no_other,
                                          test_rules.py
11  a failing command is never run again  test_agent.py: test_a_failing_command_is_tried_until_…
13  certificates and keys do not match    test_pki_agent.py
20  a connection for each secret          here
21  a poll renders dynamic secrets too    here
22  the renewal threshold is fixed        here
23  memory grows with renewals            here
24  SIGHUP crashes, or is ignored         here (test_state.py)
25  wait runs commands often, or never    test_rules.py: test_wait_…
27  an init container is run again        here
"""

import os
import stat
import time

import pytest

import vault as fake_vault
from agent_run import BIN, Agent, deliver, memory_folder, read, remove_folder, template, wait_until
from vault import Answer, kv2

from test_state import (  # noqa: F401  fixtures, and tests under a row's name
    _pg, _pod, logins, mints, needs_pg,
    test_a_changed_configuration_keeps_token_and_credentials as
    test_24_sighup_reloads_and_keeps_what_is_held,
    test_a_restart_costs_no_login_and_no_credential as
    test_05_a_restart_makes_no_credential_again,
    test_init_and_sidecar_share_one_login_and_one_credential as
    test_04_a_pod_start_costs_one_login_and_one_credential)


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


def test_01_the_agent_is_small(bao, folder, start):
    """A sidecar of the peers takes 75 MB and more; ten templates here."""
    for i in range(10):
        bao.put(f"kv/data/pain1-{i}", {"data": {"password": "first"}})
    a = start(login(bao, folder, ("kv/data/*", "read")) + "".join(
        template(f"{folder}/app/f{i}", '{{ with secret "kv/data/pain1-%d" }}{{ .Data.data.password }}{{ end }}' % i)
        for i in range(10))).started()
    assert all(read(f"{folder}/app/f{i}") == "first" for i in range(10))

    def used():
        with open(f"/proc/{a.process.pid}/smaps_rollup", encoding="ascii") as f:
            fields = dict(line.split(":", 1) for line in f if ":" in line and "-" not in line.split(" ")[0])
        return [int(fields[k].split()[0]) for k in ("Rss", "Private_Dirty")]

    # The release executable; with shared libraries the dynamic linker alone takes more.
    rss, dirty = (2048, 1024) if os.path.basename(BIN) == "static" else (16384, 4096)
    wait_until("little memory", lambda: used()[0] <= rss and used()[1] <= dirty)


def test_20_ten_thousand_secrets_need_ten_connections(fake, folder, start):
    """The peers open a connection for each secret."""
    fake.login()
    fake.on("kv/data/*", Answer(json=kv2({"v": "x"})))
    with open(f"{folder}/token", "w", encoding="ascii") as f:
        f.write("any")
    text = ('{{ range loop 10000 }}{{ with secret (printf "kv/data/p%d" .) }}'
            "{{ .Data.data.v }}{{ end }}{{ end }}")
    start(f'vault {{\n address = "{fake.address}"\n}}\nauto_auth {{\n method "token_file" {{\n'
          f'  config = {{\n token_file_path = "{folder}/token"\n }}\n }}\n}}\n'
          'template_config {\n static_secret_render_interval = "1h"\n}\n'
          + deliver(folder, "app") + template(f"{folder}/app/all", text)).started(120)
    assert read(f"{folder}/app/all") == "x" * 10000
    assert fake.connections <= 10
    asked = [r.path for r in fake.seen() if r.path.startswith("kv/data/")]
    assert len(asked) == len(set(asked)) == 10000  # each once


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
    bao.put("kv/metadata/pain26", {"delete_version_after": "15s"})
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


# --- leases, tokens, restarts -------------------------------------------------------------

def test_08_a_token_that_cannot_be_renewed_is_no_busy_loop(fake, folder, start):
    """renew-self answers 500: a few tries, spread over what is left of the token."""
    fake.login(ttl=6)
    fake.on("auth/token/renew-self", fake_vault.Answer(500, json=fake_vault.errors("x")))
    fake.on("kv/data/app", fake_vault.Answer(json=fake_vault.kv2({"v": "first"})))
    with open(f"{folder}/token", "w", encoding="ascii") as f:
        f.write("a-token")
    text = '{{ with secret "kv/app" }}{{ .Data.data.v }}{{ end }}'
    a = start(f'vault {{\n address = "{fake.address}"\n}}\nauto_auth {{\n'
              f' method "token_file" {{\n  config = {{\n   token_file_path = "{folder}/token"\n'
              '  }\n }\n}\n' + deliver(folder, "app") + template(f"{folder}/app/x", text)).started()
    a.event("token not renewed")
    time.sleep(5)  # more than is left of the token
    assert fake.count("auth/token/renew-self") <= 8
    assert fake.count("auth/token/lookup-self") <= 8


@needs_pg
def test_21_a_poll_renders_only_what_it_concerns(pod):
    a = pod.start(extra='template_config {\n static_secret_render_interval = "1s"\n}\n').started()
    for value in ("second", "third"):
        pod.bao.put("kv/data/app", {"data": {"password": value}})
        wait_until(value, lambda v=value: pod.file("db") == v + "\n")
    assert mints(a) == 1
    assert len([x for x in a.events("render") if x["template"].endswith("/creds")]) == 1


@needs_pg
def test_22_the_renewal_threshold_holds_for_renewable_leases_too(pod):
    pod.pg.role(pod.bao, "app", "30s")
    a = pod.start(extra="template_config {\n lease_renewal_threshold = 0.1\n}\n").started()
    begin = time.monotonic()
    a.event("renew", secret="vault:database/creds/app")
    assert time.monotonic() - begin < 15  # two thirds would be 18 s and more
    assert mints(a) == 1


@needs_pg
def test_23_renewals_take_no_memory(pod, issuer):
    pod.bao.jwt(issuer, "state", ["state"], token_ttl="3s", token_max_ttl="1h")
    a = pod.start().started()

    def renewed(n):
        for _ in range(n):
            a.event("renew", what="token")
        return a.status()["memory"]["in_use"]

    before = renewed(2)
    renewed(3)
    wait_until("no more than before",
               lambda: a.status()["memory"]["in_use"] <= before + 8 * 1024)
    assert logins(a) == 1


@needs_pg
@pytest.mark.parametrize("state", [True, False])
def test_27_an_init_container_may_be_run_again(pod, state):
    for _ in range(3):
        assert pod.start("--once", state=state).ended() == 0
    assert pod.file("db") == "first\n"
    assert sum(logins(a) for a in pod.agents) == (1 if state else 3)
    assert len(pod.users()) == (1 if state else 3)
