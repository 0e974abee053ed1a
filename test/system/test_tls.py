# SPDX-License-Identifier: Apache-2.0
"""lib/tls and lib/crypto/x509.h, of every built variant against every other, and against the
openssl command and Python."""

import itertools
import secrets
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

import machine
import process_memory
import tls_run
from tls_run import (OPENSSL, RELOAD, VARIANTS, WIPE, Server, Stranger, ask, connect, get,
                     http_get, s_client)

pytestmark = pytest.mark.skipif(len(VARIANTS) < 1, reason="no variant is built")
TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
mbedtls = pytest.mark.parametrize("variant", [v for v in VARIANTS if v.startswith("mbedtls")])
each = pytest.mark.parametrize("variant", VARIANTS)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The certificates that each variant makes."""
    return {v: tls_run.make_certs(v, tmp_path_factory.mktemp(v)) for v in VARIANTS}


@pytest.fixture(scope="module")
def certs(made):
    return made[VARIANTS[0]]


@pytest.fixture
def start(request):
    """Starts a server that ends with the test."""
    def begin(what, *args):
        server = what(*args)
        request.addfinalizer(server.close)
        return server
    return begin


# --- certificates

@each
def test_made_certificates_satisfy_openssl(made, variant):
    folder = made[variant]
    for name, purpose in [("ec", "sslserver"), ("rsa", "sslserver"), ("late", "sslserver"),
                          ("client", "sslclient")]:
        subprocess.run([OPENSSL, "verify", "-x509_strict", "-CAfile", folder / "ca.pem",
                        "-purpose", purpose, folder / f"{name}.pem"],
                       check=True, capture_output=True)
    for name, ca in [("expired", "ca"), ("ec", "other-ca"), ("alien", "ca")]:
        assert subprocess.run([OPENSSL, "verify", "-x509_strict", "-CAfile", folder / f"{ca}.pem",
                               folder / f"{name}.pem"], capture_output=True).returncode != 0
    text = subprocess.run([OPENSSL, "x509", "-in", folder / "ec.pem", "-noout", "-text"],
                          check=True, capture_output=True, text=True).stdout
    assert "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1" in text
    assert "CA:FALSE" in text and "TLS Web Server Authentication" in text


@each
def test_made_keys_are_read_by_openssl(made, variant):
    for name in ("ec", "late", "client"):
        key = made[variant] / f"{name}.key"
        subprocess.run([OPENSSL, "pkey", "-in", key, "-check", "-noout"], check=True,
                       capture_output=True)
        ours = subprocess.run([OPENSSL, "pkey", "-in", key, "-pubout"], check=True,
                              capture_output=True).stdout
        assert ours == subprocess.run(
            [OPENSSL, "x509", "-in", made[variant] / f"{name}.pem", "-pubkey", "-noout"],
            check=True, capture_output=True).stdout


# --- every server with every client

@pytest.mark.parametrize("server,client,version,key", list(itertools.product(
    VARIANTS, VARIANTS, ("12", "13"), ("ec", "rsa"))))
def test_matrix(made, start, server, client, version, key):
    folder = made[server]
    s = start(Server, server, folder / f"{key}.pem", folder / f"{key}.key")
    code, body = get(client, s.url, "--tls", version, "--ca", folder / "ca.pem")
    assert (code, body.split()[0]) == (0, f"TLSv1.{version[1]}"), body
    assert "GCM" in body or "CHACHA20" in body
    # An expired certificate and another authority's are refused by the client.
    code, _ = get(client, s.url, "--tls", version, "--ca", folder / "other-ca.pem")
    assert code == 60


@each
def test_an_expired_certificate_is_refused(certs, start, variant):
    s = start(Server, VARIANTS[0], certs / "expired.pem", certs / "expired.key")
    assert get(variant, s.url, "--ca", certs / "ca.pem")[0] == 60


@pytest.mark.parametrize("server,client,version", list(itertools.product(
    VARIANTS, VARIANTS, ("12", "13"))))
def test_client_certificates(certs, start, server, client, version):
    def cert(name):
        return "--cert", certs / f"{name}.pem", "--key", certs / f"{name}.key"
    common = ("--tls", version, "--ca", certs / "ca.pem")
    s = start(Server, server, certs / "ec.pem", certs / "ec.key", "--client-ca",
              str(certs / "ca.pem"), "--require")
    code, body = get(client, s.url, *common, *cert("client"))
    assert code == 0 and "client=CN=client\n" in body, body
    assert get(client, s.url, *common)[0] != 0
    assert get(client, s.url, *common, *cert("alien"))[0] != 0
    s = start(Server, server, certs / "ec.pem", certs / "ec.key", "--client-ca",
              str(certs / "ca.pem"))
    code, body = get(client, s.url, *common)
    assert code == 0 and "client=\n" in body, body
    assert get(client, s.url, *common, *cert("alien"))[0] != 0


# --- what the server speaks

@pytest.fixture
def server(certs, start, variant):
    return start(Server, variant, certs / "rsa.pem", certs / "rsa.key")


@each
def test_alpn_is_http_1_1_only(server):
    assert "ALPN protocol: http/1.1" in s_client(server.port, "-alpn", "h2,http/1.1")
    assert "ALPN protocol: http/1.1" in s_client(server.port, "-alpn", "http/1.1", "-tls1_2")
    assert "No ALPN negotiated" in s_client(server.port)
    for version in ("-tls1_2", "-tls1_3"):
        out = s_client(server.port, "-alpn", "h2", version)
        assert "no application protocol" in out or "alert number 120" in out, out


@each
def test_old_versions_and_ciphers_are_refused(server):
    for args in (["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"],
                 ["-tls1_2", "-cipher", "AES128-GCM-SHA256"],  # no forward secrecy
                 ["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"],
                 ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256"],  # no AEAD
                 ["-tls1_2", "-curves", "P-521"]):
        assert "Cipher is (NONE)" in s_client(server.port, *args), args
    for cipher in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
                   "ECDHE-RSA-CHACHA20-POLY1305"):
        assert f"Cipher is {cipher}" in s_client(server.port, "-tls1_2", "-cipher", cipher)
    for curve in ("X25519", "P-256", "P-384"):
        assert "Cipher is TLS_" in s_client(server.port, "-curves", curve), curve


@each
@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_nothing_is_resumed(certs, server, version):
    first = connect(server, certs, version)
    ask(first)
    assert not first.session or not first.session.has_ticket
    again = connect(server, certs, version, session=(first.context, first.session))
    ask(again)
    assert not again.session_reused


@each
def test_nothing_is_compressed_or_renegotiated(server):
    assert "Compression: NONE" in s_client(server.port, "-tls1_2")
    out = s_client(server.port, "-tls1_2", value="R\n")
    assert "RENEGOTIATING" in out and "no renegotiation" in out, out


# --- reload

def serial(conn):
    return conn.getpeercert()["serialNumber"]


@each
def test_reload_leaves_open_connections_alone(certs, start, tmp_path, variant):
    for suffix in ("pem", "key"):
        (tmp_path / f"x.{suffix}").write_bytes((certs / f"ec.{suffix}").read_bytes())
    s = start(Server, variant, tmp_path / "x.pem", tmp_path / "x.key")
    before = connect(s, certs)
    ask(before)
    # A key of another certificate: refused, nothing changes.
    (tmp_path / "x.pem").write_bytes((certs / "late.pem").read_bytes())
    line = s.signal(RELOAD, "")
    assert "does not belong to certificate 'CN=late'" in line
    assert serial(connect(s, certs)) == serial(before)
    (tmp_path / "x.key").write_bytes((certs / "late.key").read_bytes())
    s.signal(RELOAD, "reloaded")
    after = connect(s, certs)
    assert serial(after) != serial(before)
    assert "TLSv1.3" in ask(before) and "TLSv1.3" in ask(after)


@each
def test_reload_under_load_fails_no_request(certs, start, variant):
    s = start(Server, variant, certs / "ec.pem", certs / "ec.key")
    failed, served, done = [], [], threading.Event()

    def load(keep):
        conn = connect(s, certs) if keep else None
        while not done.is_set():
            try:
                ask(conn or connect(s, certs))
                served.append(1)
            except (OSError, AssertionError) as e:
                failed.append(repr(e))
                return

    threads = [threading.Thread(target=load, args=(i % 2,)) for i in range(4)]
    for t in threads:
        t.start()
    reloads = 0
    try:
        while not failed and (reloads < 200 or len(served) < 200):
            s.signal(RELOAD, "reloaded")
            reloads += 1
    finally:
        done.set()
        for t in threads:
            t.join()
    assert not failed


# --- ends

@each
@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_close_notify_is_answered(certs, server, version):
    conn = connect(server, certs, version)
    ask(conn)
    conn.unwrap()  # raises when the other side only cuts


@each
def test_a_reset_kills_nobody(certs, server):
    for _ in range(20):
        conn = connect(server, certs)
        conn.sendall(b"GET / HTTP/1.1\r\nx: " + b"x" * 60000 + b"\r\n\r\n")
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.close()
    assert "TLSv1.3" in ask(connect(server, certs))


@each
def test_strangers_and_slow_ones_cost_nothing(certs, server):
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    for i, s in enumerate(slow):
        s.sendall((b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x40\x00\x01")[i % 3])
    assert "TLSv1.3" in ask(connect(server, certs))
    server.lines.wait(lambda line: line.startswith("failed: TLS handshake: "))


# --- what stays in memory (the statement is in lib/tls/tls.h)

@each
@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_no_plaintext_stays_in_an_open_connection(certs, server, version):
    conn = connect(server, certs, version)
    marker = secrets.token_hex(24)
    body = ask(conn, f"GET / HTTP/1.1\r\nx: {'y' * 1000}{marker}{'z' * 1000}\r\n\r\n")
    assert marker in body
    server.signal(WIPE, "wiped")
    hits = process_memory.search(server.process.pid, marker.encode())
    assert not hits[True] and not hits[False], hits
    # The search does find what is there: a request that is not complete lies in a buffer.
    conn.sendall(f"GET / HTTP/1.1\r\nx: {marker}".encode())
    end = time.monotonic() + machine.LIMIT_S
    while not process_memory.search(server.process.pid, marker.encode())[True]:
        assert time.monotonic() < end


@each
@pytest.mark.parametrize("version", ["12", "13"])
def test_no_plaintext_stays_in_the_client(certs, start, variant, version):
    """An answer that libcurl has handed over, while its connection stays open: neither in the
    TLS library's buffers nor in libcurl's."""
    marker = secrets.token_hex(24)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs / "ec.pem", certs / "ec.key")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = machine.start(
            [tls_run.prog(variant, "tls_get"), "--hold", "--tls", version, "--ca",
             certs / "ca.pem", f"https://localhost:{listener.getsockname()[1]}/"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with context.wrap_socket(listener.accept()[0], server_side=True) as conn:
            conn.recv(4096)
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2048\r\n\r\n" +
                         (b"y" * 1000 + marker.encode() + b"z" * 1000))
            assert client.stdout.readline() == "held\n"
            hits = process_memory.search(client.pid, marker.encode())
            client.communicate("\n")
    assert not hits[True] and not hits[False], hits


# --- the client's hook: mbedTLS 3.6.6 and TLS 1.2 with an RSA key (dependencies.md)

@mbedtls
def test_hook_opens_rsa_servers_of_tls_1_2(certs, start, variant):
    s = start(Stranger, certs, "rsa", "-tls1_2")
    ca = ("--ca", certs / "ca.pem")
    assert get(variant, s.url, *ca)[0] == 0
    code, text = get(variant, s.url, "--no-hook", *ca)
    assert code == 35, "the bug is gone: the hook's order of signatures can go too"
    assert "-0x6600" in text.lower() or "6600" in text, text


@mbedtls
def test_a_server_with_an_order_of_its_own_needs_tls_1_2_as_maximum(certs, start, variant):
    s = start(Stranger, certs, "rsa", "-tls1_2", "-serverpref")
    ca = ("--ca", certs / "ca.pem")
    assert get(variant, s.url, *ca)[0] == 35
    assert get(variant, s.url, "--tls", "max12", *ca)[0] == 0


@pytest.mark.parametrize("server,client", list(itertools.product(VARIANTS, VARIANTS)))
def test_the_real_client(certs, start, server, client):
    def cert(name):
        return f"cert={certs}/{name}.pem", f"key={certs}/{name}.key"
    s = start(Server, server, certs / "rsa.pem", certs / "rsa.key", "--client-ca",
              str(certs / "ca.pem"))
    ca = f"ca_file={certs}/ca.pem"
    assert "TLSv1.3" in http_get(client, s.url, ca)["body"]
    assert "TLSv1.2" in http_get(client, s.url, ca, "tls12_max=1")["body"]
    assert "client=CN=client\n" in http_get(client, s.url, ca, *cert("client"))["body"]
    assert http_get(client, s.url, f"ca_file={certs}/other-ca.pem")["kind"] == "config"
    assert "error" in http_get(client, s.url, ca, *cert("alien"))


@each
@pytest.mark.parametrize("key", ["ec", "rsa"])
def test_the_real_client_and_a_server_of_tls_1_2(certs, start, variant, key):
    s = start(Stranger, certs, key, "-tls1_2")
    assert http_get(variant, s.url, f"ca_file={certs}/ca.pem")["status"] == 200


@each
@pytest.mark.parametrize("args", [["-tls1_2"], ["-tls1_3"], []])
@pytest.mark.parametrize("key", ["ec", "rsa"])
def test_clients_with_the_hook_reach_openssl(certs, start, variant, args, key):
    s = start(Stranger, certs, key, *args)
    code, text = get(variant, s.url, "--ca", certs / "ca.pem")
    assert code == 0, text


@each
def test_old_servers_are_refused(certs, start, variant):
    s = start(Stranger, certs, "rsa", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    assert get(variant, s.url, "--ca", certs / "ca.pem")[0] == 35
