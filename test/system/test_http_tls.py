# SPDX-License-Identifier: Apache-2.0
"""The HTTP client against good and bad TLS servers: every bad one is refused, by name and by
both kinds of addresses, and the reason is named. Runs on each TLS library's build."""
import pathlib
import shutil
import ssl
import time

import pytest

from http_servers import Client, Pki, Server, answer, environment, get, get_all, tls_context

# Python warns of the old versions that the bad servers speak.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

HOSTS = {"name": ("localhost", "127.0.0.1"), "ipv4": ("127.0.0.1", "127.0.0.1"),
         "ipv6": ("[::1]", "::1")}
SAN = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n"
LEAF = Pki.LEAF + SAN
NOT_SIGNED = "not signed by the CA in"
OTHER_NAME = "another name"
TOO_WEAK = "too weak"
NO_SERVER = "not made for a server"
NO_VERSION = "TLS version"
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture(scope="module", name="pki")
def _pki(session_folder):
    pki = Pki(session_folder / "pki")
    pki.root = pki.make("root", ext=Pki.CA)
    pki.other = pki.make("other-root", ext=Pki.CA)
    pki.inter = pki.make("inter", by=pki.root, ext=Pki.CA)
    pki.good = pki.make("good", by=pki.root, ext=LEAF)
    return pki


def nul_in_name():
    """A SAN of "localhost" NUL ".evil.example"."""
    name = b"localhost\0.evil.example"
    der = bytes([0x30, len(name) + 2, 0x82, len(name)]) + name
    return "subjectAltName=DER:" + der.hex(":")


# Each makes a server's certificate chain and key, and perhaps the CA that the client knows.
def leaf(**how):
    ext = how.pop("ext", LEAF)
    return lambda pki, name: (pki.make(name, by=pki.root, ext=ext, **how), pki.root[0])


def self_signed(pki, name):
    return pki.make(name, ext=LEAF), pki.root[0]


def unknown_ca(pki, name):
    return pki.make(name, by=pki.other, ext=LEAF), pki.root[0]


def missing_intermediate(pki, name):
    return pki.make(name, by=pki.inter, ext=LEAF), pki.root[0]


def through(ext=Pki.CA, sign=None, **how):
    """A leaf under an intermediate that is sent along, but has a fault."""
    def chain(pki, name):
        inter = pki.make(name + "-ca", by=pki.root, ext=ext, **how)
        cert, key = pki.make(name, by=inter, ext=LEAF, **(sign or {}))
        return (pki.join(name + ".chain", cert, inter[0]), key), pki.root[0]
    return chain


def two_levels(pki, name):
    """pathlen:0 means that no further CA may follow."""
    upper = pki.make(name + "-1", by=pki.root, ext=Pki.CA.replace("TRUE", "TRUE,pathlen:0"))
    lower = pki.make(name + "-2", by=upper, ext=Pki.CA)
    cert, key = pki.make(name, by=lower, ext=LEAF)
    return (pki.join(name + ".chain", cert, lower[0], upper[0]), key), pki.root[0]


def expired_root(pki, name):
    root = pki.make(name + "-root", ext=Pki.CA, days=(-3, -1))
    return pki.make(name, by=root, ext=LEAF), root[0]


def endless_chain(pki, name):
    cert, key = pki.make(name, by=pki.root, ext=LEAF)
    return (pki.join(name + ".chain", cert, *[pki.other[0]] * 400), key), pki.root[0]


BAD_CERTIFICATES = {
    "expired": (leaf(days=(-3, -1)), "has expired"),
    "not yet valid": (leaf(days=(1, 3)), "not valid yet"),
    "wrong name and address": (leaf(ext=Pki.LEAF + "subjectAltName=DNS:other.example,"
                                    "IP:127.0.0.2,IP:::2\n"), OTHER_NAME),
    "addresses as names": (leaf(ext=Pki.LEAF + "subjectAltName=DNS:127.0.0.1,DNS:::1,"
                                "DNS:localhost.evil.example\n"), OTHER_NAME),
    "wildcard for one label": (leaf(ext=Pki.LEAF + "subjectAltName=DNS:*,DNS:*.0.0.1\n"),
                               OTHER_NAME),
    "NUL in the name": (leaf(ext=Pki.LEAF + nul_in_name()), None),
    "self-signed": (self_signed, NOT_SIGNED),
    "unknown CA": (unknown_ca, NOT_SIGNED),
    "missing intermediate": (missing_intermediate, NOT_SIGNED),
    "expired intermediate": (through(days=(-3, -1)), "has expired"),
    "expired root": (expired_root, "has expired"),
    "leaf as a CA": (through(ext="basicConstraints=critical,CA:FALSE\n" + Pki.LEAF), None),
    "CA without constraints": (through(ext=""), None),
    "path too long": (two_levels, None),
    "name constraints": (through(ext=Pki.CA + "nameConstraints=critical,permitted;"
                                 "DNS:example.com,permitted;IP:10.0.0.0/255.0.0.0,permitted;"
                                 "IP:fd00:0:0:0:0:0:0:0/ffff:0:0:0:0:0:0:0\n"), None),
    "endless chain": (endless_chain, "too long"),
    "SHA-1 signature": (leaf(md="sha1"), TOO_WEAK),
    "SHA-1 intermediate": (through(md="sha1"), TOO_WEAK),
    "RSA of 1024 bits": (leaf(key="rsa1024"), TOO_WEAK),
    "RSA CA of 1024 bits": (through(key="rsa1024"), TOO_WEAK),
    "curve of 192 bits": (leaf(key="p192"), None),
    "made for clients": (leaf(ext=SAN + "keyUsage=digitalSignature\n"
                              "extendedKeyUsage=clientAuth\n"), NO_SERVER),
    "made for signing certificates": (leaf(ext=SAN + "keyUsage=keyCertSign\n"
                                           "extendedKeyUsage=serverAuth\n"), NO_SERVER),
    "unknown critical extension": (leaf(ext=LEAF + "1.2.3.4=critical,DER:05:00\n"), None),
}


@pytest.fixture(scope="module", name="made")
def _made(pki):
    """Each certificate is made once and served to three kinds of clients."""
    done = {}

    def make(case):
        if case not in done:
            done[case] = BAD_CERTIFICATES[case][0](pki, case.replace(" ", "-"))
        return done[case]
    return make


def refused(reply, url, says=None, kinds=("config",)):
    assert "error" in reply, reply
    assert reply["kind"] in kinds, reply
    assert reply["error"].startswith(url.rstrip("/") + ": "), reply
    assert "\n" not in reply["error"] and len(reply["error"]) < 400
    if says:
        assert says in reply["error"], reply


@pytest.mark.parametrize("how", HOSTS)
@pytest.mark.parametrize("case", BAD_CERTIFICATES)
def test_bad_certificate(made, case, how):
    cert, ca = made(case)
    host, address = HOSTS[how]
    with Server(tls=tls_context(cert), host=address) as server:
        url = server.url(host=host)
        refused(get(url, ca_file=ca), url, BAD_CERTIFICATES[case][1])
        assert not server.requests
        if case in ("expired", "unknown CA"):  # the operator said so: it is his doing
            assert get(url, ca_file=ca, skip_verify=1)["status"] == 200


def client_ca(pki):
    return {"client_ca": pki.root[0]}


BAD_SERVERS = {
    "TLS 1.0": (lambda pki: {"high": ssl.TLSVersion.TLSv1}, NO_VERSION),
    "TLS 1.1": (lambda pki: {"high": ssl.TLSVersion.TLSv1_1}, NO_VERSION),
    "no encryption": (lambda pki: {"high": V12, "ciphers": "eNULL:@SECLEVEL=0"},
                      "refused the TLS connection"),
    "no certificate": (lambda pki: {"high": V12, "ciphers": "aNULL:@SECLEVEL=0"},
                       "refused the TLS connection"),
    "client certificate, 1.3": (client_ca, "client certificate"),
    "client certificate, 1.2": (lambda pki: {"high": V12, **client_ca(pki)},
                                "client certificate"),
}


@pytest.mark.parametrize("how", HOSTS)
@pytest.mark.parametrize("case", BAD_SERVERS)
def test_bad_server(pki, case, how):
    settings, says = BAD_SERVERS[case]
    host, address = HOSTS[how]
    with Server(tls=tls_context(pki.good, **settings(pki)), host=address) as server:
        url = server.url(host=host)
        # A connection that is cut may be a passing fault: then the reason is a guess.
        refused(get(url, ca_file=pki.root[0]), url, says, kinds=("config", "retry"))
        assert not server.requests


def speaks(text):
    def talk(sock):
        sock.recv(4096)
        sock.sendall(text)
    return talk


def hangs(sock):
    while sock.recv(4096):
        pass


BAD_TALKERS = {
    "plain HTTP": (speaks(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "config", "does not speak TLS"),
    "another protocol": (speaks(b"SSH-2.0-OpenSSH_9.2\r\n"), "config", "does not speak TLS"),
    "an end": (lambda sock: sock.recv(4096), "retry", None),
    "an alert": (speaks(bytes.fromhex("1503010002022f")), "config", None),
    "half a record": (speaks(bytes.fromhex("160303ffff0200")), None, None),
    "nothing": (hangs, "retry", "the TLS handshake was not finished within 0.7 s"),
}


@pytest.mark.parametrize("how", HOSTS)
@pytest.mark.parametrize("case", BAD_TALKERS)
def test_bad_talker(pki, case, how):
    talk, kind, says = BAD_TALKERS[case]
    host, address = HOSTS[how]
    with Server(talk, tls=True, host=address, raw=True) as server:
        url = server.url(host=host)
        reply = get(url, ca_file=pki.root[0], timeout=700)
        refused(reply, url, says, kinds=(kind,) if kind else ("config", "retry"))
        assert reply["ms"] < 3000


GOOD_SERVERS = {
    "TLS 1.3": {"low": V13},
    "TLS 1.2": {"high": V12},
    "TLS 1.2, RSA": {"high": V12, "key": "rsa"},
    "TLS 1.3, RSA": {"low": V13, "key": "rsa"},
    "intermediate": {"inter": True},
}


@pytest.mark.parametrize("how", HOSTS)
@pytest.mark.parametrize("case", GOOD_SERVERS)
def test_good_server(pki, case, how):
    settings = dict(GOOD_SERVERS[case])
    name = "good-" + "".join(c for c in case if c.isalnum())
    by = pki.inter if settings.pop("inter", None) else pki.root
    cert, key = pki.make(name, by=by, ext=LEAF, key=settings.pop("key", "ec"))
    chain = (pki.join(name + ".chain", cert, by[0]), key)
    host, address = HOSTS[how]
    with Server(tls=tls_context(chain, ciphers="DEFAULT", **settings), host=address) as server:
        reply = get(server.url("/v1/x?a=b", host=host), ca_file=pki.root[0],
                    header=["X-Vault-Token: t"])
        assert reply["status"] == 200 and reply["body"] == "good", reply
        assert server.requests[0].target == "/v1/x?a=b"


@pytest.mark.parametrize("server_order", [False, True])
def test_rsa_signatures_in_tls12(pki, server_order):
    """A TLS 1.2-only server with an RSA key: mbedTLS offers RSA-PSS and would then refuse it.
    With an order of the server's own, only tls12_max helps there (and everywhere)."""
    cert = pki.make(f"rsa-{server_order}", by=pki.root, ext=LEAF, key="rsa")
    context = tls_context(cert, high=V12, ciphers="DEFAULT")
    if server_order:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    with Server(tls=context) as server:
        reply = get(server.url(), ca_file=pki.root[0])
        if server_order and "error" in reply:
            refused(reply, server.url(), "set tls12_max")
        else:
            assert reply["status"] == 200
        assert get(server.url(), ca_file=pki.root[0], tls12_max=1)["status"] == 200


def test_client_certificate(pki):
    with Server(tls=tls_context(pki.good, **client_ca(pki))) as server:
        cert, key = pki.make("client", by=pki.root)
        both = pki.join("client.both", cert, key)
        assert get(server.url(), ca_file=pki.root[0], cert=cert, key=key)["status"] == 200
        assert get(server.url(), ca_file=pki.root[0], cert=both)["status"] == 200
        wrong = pki.make("wrong-client", by=pki.other)
        refused(get(server.url(), ca_file=pki.root[0], cert=wrong[0], key=wrong[1]),
                server.url(), "client certificate", kinds=("config", "retry"))


@pytest.mark.parametrize("options, says", [
    ({"ca_file": "none.pem"}, "none.pem"),
    ({"ca_file": "empty.pem"}, "holds no PEM certificate"),
    ({"ca_file": "."}, "CA file"),
    ({"ca_file": "broken.pem"}, "cannot be used"),
    ({"ca_file": "huge.pem"}, "CA file"),
    ({"ca_dir": "none"}, "CA folder 'none'"),
    ({"ca_dir": "emptydir"}, "holds no certificate"),
    ({"ca_file": "ca.pem", "cert": "none.pem"}, "client certificate"),
    ({"ca_file": "ca.pem", "cert": "ca.pem"}, "client key: 'ca.pem' holds no PEM key"),
    ({"ca_file": "ca.pem", "cert": "ca.pem", "key": "locked.key"}, "is encrypted"),
    ({"ca_file": "ca.pem", "cert": "ca.pem", "key": "broken.key"}, "client key 'broken.key'"),
    ({"ca_file": "ca.pem", "cert": "ca.pem", "key": "other.key"}, "does not belong to"),
])
def test_bad_files(pki, tmp_path, monkeypatch, options, says):
    monkeypatch.chdir(tmp_path)
    shutil.copy(pki.good[0], "ca.pem")
    shutil.copy(pki.other[1], "other.key")
    pathlib.Path("empty.pem").write_text("")
    pathlib.Path("emptydir").mkdir()
    pathlib.Path("emptydir/readme").write_text("no certificate\n")
    pem = "-----BEGIN {0}-----\nAAAA\n-----END {0}-----\n"
    pathlib.Path("broken.pem").write_text(pem.format("CERTIFICATE"))
    pathlib.Path("huge.pem").write_text(pem.format("CERTIFICATE") * 60000)
    pathlib.Path("broken.key").write_text(pem.format("PRIVATE KEY"))
    pathlib.Path("locked.key").write_text(pem.format("ENCRYPTED PRIVATE KEY"))
    with Server(tls=tls_context(pki.good)) as server:
        reply = get(server.url(), **options)
        assert reply.get("kind") in ("config", "limit"), reply
        assert says in reply["error"] and server.url()[:-1] in reply["error"], reply
        assert not server.requests


def test_ca_folder(pki, tmp_path):
    shutil.copy(pki.other[0], tmp_path / "a.pem")
    shutil.copy(pki.root[0], tmp_path / "b.crt")
    (tmp_path / "c.txt").write_text("no certificate")
    (tmp_path / "1234abcd.0").symlink_to("a.pem")  # as rehash makes it
    (tmp_path / "sub").mkdir()
    with Server(tls=tls_context(pki.good)) as server:
        with Client(server.url(), ca_dir=tmp_path) as client:
            assert client.ask()["status"] == 200
            (tmp_path / "b.crt").unlink()
            refused(client.ask(), server.url(), NOT_SIGNED)
            shutil.copy(pki.root[0], tmp_path / "new.pem")
            assert client.ask()["status"] == 200


def test_system_ca(pki):
    """Without a CA of ours the system's counts; with one of ours the system's does not."""
    with Server(tls=tls_context(pki.good)) as server:
        system = environment(SSL_CERT_FILE=pki.root[0])
        assert get(server.url(), system)["status"] == 200
        refused(get(server.url(), system, ca_file=pki.other[0]), server.url(), NOT_SIGNED)
        refused(get(server.url(), environment(SSL_CERT_FILE=pki.other[0])), server.url(),
                "by a CA that this system trusts")
        assert "/none" in get(server.url(), environment(SSL_CERT_FILE="/none"))["error"]


@pytest.mark.parametrize("name, works", [
    ("vault.example", True), ("VAULT.example", True), ("a.pods.example", True),
    ("a.b.pods.example", False), ("pods.example", False), ("other.example", False)])
def test_server_name(pki, name, works):
    cert = pki.make("named", by=pki.root, ext=Pki.LEAF
                    + "subjectAltName=DNS:vault.example,DNS:*.pods.example\n")
    seen = []
    context = tls_context(cert)
    context.sni_callback = lambda sock, sni, ctx: seen.append(sni)
    with Server(tls=context) as server:
        reply = get(server.url("/p?q"), ca_file=pki.root[0], server_name=name)
        assert [s.lower() for s in seen] == [name.lower()]
        if not works:
            refused(reply, server.url(), OTHER_NAME)
            return
        assert reply["status"] == 200
        assert server.requests[0].headers["host"] == f"127.0.0.1:{server.port}"
        assert server.requests[0].target == "/p?q"


@pytest.mark.parametrize("count, delay, low, high", [(12, 0, 1, 6), (200, 0.02, 8, 10)])
def test_connections_pay(pki, count, delay, low, high):
    """A handshake costs more than some waiting: few requests that are answered fast share
    one connection, many or slow ones get more."""
    def handler(request, sock):
        time.sleep(delay)
        return answer()

    with Server(handler, tls=tls_context(pki.good)) as server:
        replies = get_all(server.url(), ca_file=pki.root[0], count=count)
        assert all(r.get("status") == 200 for r in replies)
        assert low <= server.connections <= high


def swap(path, source):
    """As the kubelet does it: never a moment without the file."""
    fresh = pathlib.Path(str(path) + ".new")
    shutil.copy(source, fresh)
    fresh.rename(path)


def test_ca_replaced(pki, tmp_path):
    ca = tmp_path / "ca.pem"
    swap(ca, pki.root[0])
    with Server(tls=tls_context(pki.good)) as server, Client(server.url(), ca_file=ca) as client:
        assert not client.ask()["reused"]
        assert client.ask()["reused"]
        swap(ca, pki.root[0])  # the same content: the connection is still good
        assert client.ask()["reused"]
        swap(ca, pki.other[0])  # no connection made under the old CA may be used
        refused(client.ask(), server.url(), NOT_SIGNED)
        swap(ca, pki.root[0])
        reply = client.ask()
        assert reply["status"] == 200 and not reply["reused"]
        ca.unlink()
        assert "CA file" in client.ask()["error"]
        swap(ca, pki.root[0])
        assert client.ask()["status"] == 200


def test_client_certificate_replaced(pki, tmp_path):
    cert, key = tmp_path / "tls.crt", tmp_path / "tls.key"

    def handler(request, sock):
        name = dict(x[0] for x in sock.getpeercert()["subject"])["commonName"]
        return answer(name)

    with Server(handler, tls=tls_context(pki.good, **client_ca(pki))) as server:
        with Client(server.url(), ca_file=pki.root[0], cert=cert, key=key) as client:
            for name in ("first", "second"):
                made = pki.make(name, by=pki.root)
                swap(cert, made[0])
                swap(key, made[1])
                assert client.ask()["body"] == name
                assert client.ask()["reused"]
        assert server.connections == 2
