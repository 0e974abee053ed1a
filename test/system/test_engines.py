# SPDX-License-Identifier: Apache-2.0
"""The agent with the dynamic engines of a real OpenBao, each on the real server that the
credentials are for. A rendered credential works there, is renewed, is replaced when it may
not be renewed any more, and is gone when the agent has ended. PostgreSQL's lease arithmetic
is in test_vault_database.py; a fault of each kind in test_vault_hostile.py."""

import base64
import hashlib
import hmac
import json
import os
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

import postgres
import servers
from agent_run import Agent, deliver, memory_folder, read, remove_folder, template, wait_until

PAIR = ('{{ with secret "%s" }}{"user": {{ .Data.username | toJSON }}, '
        '"password": {{ .Data.password | toJSON }}}{{ end }}')


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


def config(bao, folder, name, *rules):
    """A login of its own, which has these rights."""
    bao.policy(name, *rules)
    role_id, secret_id = bao.approle(name, [name], token_ttl="1h")
    for file, text in (("role-id", role_id), ("secret-id", secret_id)):
        with open(f"{folder}/{file}", "w", encoding="utf-8") as f:
            f.write(text)
    return (f'vault {{\n address = "{bao.https}"\n ca_cert = "{bao.authority.cert}"\n}}\n'
            'auto_auth {\n method "approle" {\n  config = {\n'
            f'   role_id_file_path = "{folder}/role-id"\n'
            f'   secret_id_file_path = "{folder}/secret-id"\n  }}\n }}\n}}\n'
            + deliver(folder, "app"))


def leases(bao, prefix):
    """The leases that live below it."""
    try:
        return bao.api("LIST", f"sys/leases/lookup/{prefix}")["data"]["keys"]
    except Exception as e:
        assert getattr(e, "status", 0) == 404
        return []


# --- credentials with leases --------------------------------------------------------------


class Postgres(postgres.Postgres):
    """postgres.py's server with the interface of those of servers.py."""

    missing = staticmethod(lambda: None if postgres.binaries() else "no PostgreSQL here")

    def role(self, bao, mount, ttl, max_ttl):
        super().role(bao, "app", ttl, max_ttl, mount=mount)

    def static_role(self, bao, mount, name, period):
        super().static_role(bao, name, period, mount=mount)


class Valkey(servers.Redis):
    """The engine's plugin for Valkey, on Redis 7, whose protocol it speaks: Debian 12 has no
    Valkey."""

    plugin = "valkey-database-plugin"


ENGINES = [Postgres, servers.MariaDb, servers.Redis, Valkey, servers.RabbitMq]


@pytest.fixture(name="server", params=ENGINES, ids=lambda c: c.__name__)
def _server(request):
    why = request.param.missing()
    if why:
        pytest.skip(why)
    with request.param() as server:
        yield server


def holds(folder, name):
    text = read(f"{folder}/app/{name}")
    return json.loads(text) if text else None


def follow_rotations(folder, server, n):
    """The file of a static role logs in within a second of each of n rotations."""
    seen = []
    for _ in range(n):
        now = wait_until("a new password", lambda: (
            holds(folder, "static") not in seen and holds(folder, "static")))
        seen.append(now)
        assert now["user"] == "steady"
        # On a busy machine it may have been rotated again meanwhile: then the file follows.
        wait_until("a login", lambda: server.can_log_in(
            "steady", holds(folder, "static")["password"]), 3)


def test_credentials(bao, folder, start, server):
    """A lease is renewed, replaced at its maximum, revoked at the end: two are made, never
    more. Beside it a static role is followed."""
    mount = type(server).__name__.lower()
    has_static = hasattr(server, "static_role")
    server.connect(bao, mount)
    server.role(bao, mount, "6s", "12s")
    text = template(f"{folder}/app/db", PAIR % f"{mount}/creds/app")
    if has_static:
        server.static_role(bao, mount, "steady", "5s")
        text += template(f"{folder}/app/static", PAIR % f"{mount}/static-creds/steady")
    a = start(config(bao, folder, mount, (f"{mount}/creds/app", "read"),
                     (f"{mount}/static-creds/steady", "read"),
                     ("sys/leases/revoke", "update")) + text).started()
    first = holds(folder, "db")
    assert server.can_log_in(first["user"], first["password"])
    assert not server.can_log_in(first["user"], "another word")
    a.event("renew", secret=f"vault:{mount}/creds/app")
    assert holds(folder, "db") == first  # a renewal is no new credential
    assert len(leases(bao, f"{mount}/creds/app")) == 1
    if has_static:
        follow_rotations(folder, server, 2)
    second = wait_until("the next", lambda: holds(folder, "db") != first and holds(folder, "db"))
    assert second["user"] != first["user"]
    assert server.can_log_in(second["user"], second["password"])
    wait_until("the old one's end",
               lambda: not server.can_log_in(first["user"], first["password"]))
    assert a.stop() == 0
    assert leases(bao, f"{mount}/creds/app") == []
    assert not server.can_log_in(second["user"], second["password"])
    made = [e for e in a.events("fetch") if e["secret"].endswith("/creds/app")]
    assert len(made) == 2 and not a.events("secret not fetched")


# --- certificates -------------------------------------------------------------------------


def speaks_tls(folder, ca):
    """A server with the rendered key and certificate, and a client that trusts the CA."""
    with open(f"{folder}/now.pem", "w", encoding="ascii") as f:
        f.write(read(f"{folder}/app/tls.pem"))  # once: Python opens it for each of the two
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(f"{folder}/now.pem")  # refuses a key that does not match
    client = ssl.create_default_context(cadata=ca)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            with listener.accept()[0] as s, server.wrap_socket(s, server_side=True) as t:
                t.sendall(b"hello")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with socket.create_connection(listener.getsockname(), 10) as s:
            with client.wrap_socket(s, server_hostname="app.example") as t:
                got = t.recv(10), t.getpeercert()["serialNumber"]
        thread.join(10)
    assert got[0] == b"hello"
    return got[1]


def pki(bao, mount, **role):
    bao.mount(mount, "pki")
    ca = bao.put(mount + "/" + "root/generate/internal", {"common_name": "root", "ttl": "24h"})
    bao.put(f"{mount}/roles/web", {"allow_any_name": True, "no_store": False, **role})
    return ca["data"]["certificate"]


def test_certificates(bao, folder, start):
    ca = pki(bao, "pki-short")
    text = ('{{ with secret "pki-short/issue/web" "common_name=app.example" "ttl=10s" }}'
            "{{ .Data.certificate }}\n{{ .Data.private_key }}\n{{ end }}")
    a = start(config(bao, folder, "pki-short", ("pki-short/issue/web", "update")) +
              template(f"{folder}/app/tls.pem", text)).started()
    first = speaks_tls(folder, ca)
    a.event("fetch")
    a.event("fetch")
    wait_until("the next", lambda: speaks_tls(folder, ca) != first)
    assert not a.events("secret not fetched")


def test_leased_certificate_is_revoked_at_the_end(bao, folder, start):
    ca = pki(bao, "pki-leased", generate_lease=True)
    text = ('{{ with secret "pki-leased/issue/web" "common_name=app.example" "ttl=600s" }}'
            "{{ .Data.certificate }}\n{{ .Data.private_key }}\n{{ end }}")
    a = start(config(bao, folder, "pki-leased", ("pki-leased/issue/web", "update"),
                     ("sys/leases/revoke", "update")) +
              template(f"{folder}/app/tls.pem", text)).started()
    serial = speaks_tls(folder, ca)
    path = "pki-leased/cert/" + ":".join(serial[i:i + 2] for i in range(0, len(serial), 2)).lower()
    assert bao.get(path)["data"]["revocation_time"] == 0
    assert a.stop() == 0
    assert bao.get(path)["data"]["revocation_time"] > 0


# --- SSH ----------------------------------------------------------------------------------


@pytest.fixture(name="sshd")
def _sshd():
    if servers.Sshd.missing():
        pytest.skip(servers.Sshd.missing())
    with servers.Sshd() as server:
        yield server


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_ssh_certificate(bao, folder, start, sshd, kind):
    """Signed for seconds, signed again before it ends; a real sshd lets it in."""
    bao.mount("ssh", "ssh")
    try:
        bao.put("ssh/config/ca", {"generate_signing_key": True, "key_type": "ed25519"})
    except Exception as e:
        assert getattr(e, "status", 0) == 400  # there already
    sshd.trusted.write_text(bao.get("ssh/config/ca")["data"]["public_key"])
    bao.put("ssh/roles/login", {
        "key_type": "ca", "allow_user_certificates": True, "allowed_users": "*", "ttl": "12s",
        "not_before_duration": "5s", "default_extensions": {"permit-pty": ""},
        "algorithm_signer": "default"})
    key = f"{folder}/key"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", key], check=True, timeout=60)
    text = ('{{ with secret "ssh/sign/login" "public_key=%s" "valid_principals=%s" }}'
            "{{ .Data.signed_key }}{{ end }}" % (read(f"{key}.pub").strip(), sshd.name))
    a = start(config(bao, folder, "ssh", ("ssh/sign/login", "update")) +
              template(f"{folder}/app/cert.pub", text)).started()
    first = read(f"{folder}/app/cert.pub")
    assert sshd.can_log_in(key, f"{folder}/app/cert.pub")
    wait_until("a newer one", lambda: read(f"{folder}/app/cert.pub") != first)
    assert sshd.can_log_in(key, f"{folder}/app/cert.pub")
    assert len(a.events("fetch")) == 2
    with open(f"{folder}/first.pub", "w", encoding="ascii") as f:
        f.write(first)
    wait_until("the first one's end", lambda: not sshd.can_log_in(key, f"{folder}/first.pub"))


def test_ssh_one_time_password(bao, folder, start):
    """What the host's helper would ask: good once, for that host and user; the agent gives an
    unused one back."""
    bao.mount("ssh", "ssh")
    bao.put("ssh/roles/otp", {"key_type": "otp", "default_user": "app",
                              "cidr_list": "127.0.0.0/8"})
    text = ('{{ with secret "ssh/creds/otp" "ip=127.0.0.%d" }}{{ .Data.key }}{{ end }}')
    a = start(config(bao, folder, "ssh-otp", ("ssh/creds/otp", "update"),
                     ("sys/leases/revoke", "update")) +
              template(f"{folder}/app/one", text % 1) +
              template(f"{folder}/app/two", text % 2)).started()
    one, two = read(f"{folder}/app/one"), read(f"{folder}/app/two")
    checked = bao.put("ssh/verify", {"otp": one})["data"]
    assert (checked["ip"], checked["username"]) == ("127.0.0.1", "app")
    with pytest.raises(Exception, match="400"):
        bao.put("ssh/verify", {"otp": one})
    assert a.stop() == 0
    with pytest.raises(Exception, match="400"):
        bao.put("ssh/verify", {"otp": two})


# --- without a server ---------------------------------------------------------------------


def test_kubernetes_tokens(bao, folder, start):
    """On a stand-in of the API server (servers.TokenRequests)."""
    api = servers.TokenRequests()
    try:
        bao.mount("kubernetes", "kubernetes")
        bao.put("kubernetes/config", {
            "kubernetes_host": api.url, "disable_local_ca_jwt": True,
            "service_account_jwt": "a.b.c", "kubernetes_ca_cert":
                open(bao.authority.cert, encoding="ascii").read()})
        bao.put("kubernetes/roles/app", {
            "allowed_kubernetes_namespaces": "*", "service_account_name": "robot",
            "token_default_ttl": "10s", "token_max_ttl": "10s"})
        text = ('{{ with secret "kubernetes/creds/app" "kubernetes_namespace=prod" }}'
                "{{ .Data.service_account_token }}{{ end }}")
        a = start(config(bao, folder, "kubernetes", ("kubernetes/creds/app", "update"),
                         ("sys/leases/revoke", "update")) +
                  template(f"{folder}/app/token", text)).started()
        first = read(f"{folder}/app/token")
        assert api.tokens[first][:2] == ("prod", "robot")
        second = wait_until("the next", lambda: (
            read(f"{folder}/app/token") != first and read(f"{folder}/app/token")))
        assert api.tokens[second][:2] == ("prod", "robot")
        assert a.stop() == 0
        assert len(api.tokens) == 2 and leases(bao, "kubernetes/creds/app") == []
    finally:
        api.close()


def totp(seed, when):
    """RFC 6238 with SHA-1, 6 digits, 30 s."""
    mac = hmac.digest(base64.b32decode(seed), struct.pack(">Q", int(when) // 30), hashlib.sha1)
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 10**6:06}"


def test_totp(bao, folder, start):
    bao.mount("totp", "totp")
    seed = base64.b32encode(os.urandom(20)).decode()
    bao.put("totp/keys/me", {"key": seed})
    text = '{{ with secret "totp/code/me" }}{{ .Data.code }}{{ end }}'
    begin = time.time()
    start(config(bao, folder, "totp", ("totp/code/me", "read")) +
          template(f"{folder}/app/code", text, interval="1s")).started()
    code, end = read(f"{folder}/app/code"), time.time()
    assert code in (totp(seed, begin), totp(seed, end))
    # The server itself takes it, once.
    assert bao.put("totp/code/me", {"code": code})["data"]["valid"]


def test_transit(bao, folder, start):
    """Nothing stored: the file holds what the ciphertext in the template means."""
    bao.mount("transit", "transit")
    bao.put("transit/keys/app")
    plain = base64.b64encode(b"from the vault").decode()
    text = bao.put("transit/encrypt/app", {"plaintext": plain})["data"]["ciphertext"]
    a = start(config(bao, folder, "transit", ("transit/decrypt/app", "update")) +
              template(f"{folder}/app/plain", '{{ with secret "transit/decrypt/app" '
                       '"ciphertext=%s" }}{{ .Data.plaintext | base64Decode }}{{ end }}' % text),
              "--once")
    assert a.ended() == 0
    assert read(f"{folder}/app/plain") == "from the vault"
