# SPDX-License-Identifier: Apache-2.0
"""The HTTP client against servers that answer well, badly, slowly or not at all."""
import email.utils
import hashlib
import hmac
import json
import os
import socket
import threading
import time

import pytest

from machine import LIMIT_S, free_port
from process_memory import search
from http_servers import (Client, Pki, Server, answer, environment, get, get_all, tls_context)

CANARY = "canary-55e1b7"


def failed(reply, server, kind, says):
    assert "error" in reply, reply
    assert reply["kind"] == kind and says in reply["error"], reply
    assert reply["error"].startswith(f"http://127.0.0.1:{server.port}: "), reply
    assert CANARY not in reply["error"]


def raw(*parts, hold=None):
    """Sends the parts as the answer, then closes; with hold, when that event is set."""
    def handler(request, sock):
        for part in parts:
            sock.sendall(part)
        if hold:
            hold.wait(60)
        return None
    return handler


# --- requests


def test_request_as_asked():
    with Server() as server:
        reply = get(server.url("/v1/a/../b%2Fc?list=true&x=%20"), method="LIST",
                    header=["X-Vault-Token: s.abc", "X-Empty: ", "Accept: application/json"])
        request = server.requests[0]
        assert reply["status"] == 200 and reply["body"] == "good"
        assert (request.method, request.target) == ("LIST", "/v1/a/../b%2Fc?list=true&x=%20")
        assert request.headers["x-vault-token"] == "s.abc"
        assert request.headers["x-empty"] == ""
        assert request.headers["accept"] == "application/json"
        assert request.headers["user-agent"].startswith("ampoule-agent/")
        assert "expect" not in request.headers and "content-type" not in request.headers


@pytest.mark.parametrize("method, body, length", [
    ("POST", '{"a":1}', "7"), ("PUT", "x", "1"), ("PATCH", "x", "1"), ("POST", None, "0"),
    ("PUT", None, "0"), ("DELETE", None, None), ("GET", None, None), ("LIST", '{"b":2}', "7"),
    ("POST", "x" * 50000, "50000")])
def test_bodies(method, body, length):
    with Server() as server:
        options = {"body": body} if body else {}
        assert get(server.url(), method=method, **options)["status"] == 200
        request = server.requests[0]
        assert request.method == method
        assert request.headers.get("content-length") == length
        assert request.body.decode() == (body or "")
        assert "content-type" not in request.headers and "expect" not in request.headers


def test_head():
    with Server(lambda r, s: b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nX-A:  b \r\n\r\n") as server:
        reply = get(server.url(), method="HEAD", show="x-a")
        assert reply["status"] == 200 and reply["body"] == "" and reply["shown"] == "b"


@pytest.mark.parametrize("option, says", [
    ({"header": "X-A: a\r\nX-B: b"}, "line break"), ({"header": "X-A: a\nX-B: b"}, "line break"),
    ({"header": "X A: a"}, "no header's name"), ({"method": "GET /x"}, "no HTTP method")])
def test_injection(option, says):
    with Server() as server:
        reply = get(server.url(), **option)
        assert says in reply["error"] and not server.requests


@pytest.mark.parametrize("url, says", [
    ("ftp://127.0.0.1/", "must begin with http"), ("file:///etc/passwd", "must begin with http"),
    ("127.0.0.1:8200", "must begin with"), ("http://", "no URL"), ("", "no URL"),
    ("http://a b/", "no URL"), ("http://127.0.0.1:99999/", "no URL"),
    (f"http://user:{CANARY}@127.0.0.1/", "user or password"),
    (f"http://[::1/?{CANARY}", "no URL")])
def test_bad_urls(url, says):
    reply = get(url)
    assert reply["kind"] == "config" and says in reply["error"], reply
    assert CANARY not in reply["error"]


def test_unix_socket(tmp_path):
    path = str(tmp_path / "s")
    with Server(unix=path) as server:
        reply = get("http://localhost/v1/x", unix=path)
        assert reply["status"] == 200 and server.requests[0].target == "/v1/x"
        reply = get("http://localhost/", unix=path + "no")
        assert reply["kind"] == "retry"
        assert f"socket {path}no: no connection: No such file" in reply["error"]


def test_basic_login():
    with Server() as server:
        get(server.url(), user="me", password="p:w")
        assert server.requests[0].headers["authorization"] == "Basic bWU6cDp3"


def test_aws_signature():
    """Checked against a signature that is made here (Signature Version 4)."""
    with Server() as server:
        get(server.url("/"), method="POST", body='{"SecretId":"a"}', user="AKID",
            password="secret", sigv4="aws:amz:eu-west-1:secretsmanager",
            header=["X-Amz-Target: secretsmanager.GetSecretValue",
                    "Content-Type: application/x-amz-json-1.1"])
        request = server.requests[0]
    fields = dict(p.split("=", 1) for p in
                  request.headers["authorization"].split(" ", 1)[1].replace(", ", ",").split(","))
    scope = fields["Credential"].split("/", 1)[1]
    day, region, service, _ = scope.split("/")
    names = fields["SignedHeaders"].split(";")
    assert "x-amz-target" in names and "x-amz-date" in names
    canonical = "\n".join(["POST", "/", "", *[f"{n}:{request.headers[n]}" for n in names], "",
                           ";".join(names), hashlib.sha256(request.body).hexdigest()])
    text = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4secret"
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    assert fields["Signature"] == hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    assert (region, service) == ("eu-west-1", "secretsmanager")


# --- connections


def test_reuse_and_drop():
    with Server() as server, Client(server.url()) as client:
        assert [client.ask()["reused"] for _ in range(3)] == [False, True, True]
        client.say("drop")
        assert not client.ask()["reused"]
        server.drop()  # the server ends idle connections: noticed before they are used
        time.sleep(0.05)
        assert client.ask()["status"] == 200
    assert server.connections == 3


def connections_of(pid):
    """Open sockets of a process that belong to TCP or a unix socket's peer."""
    folder = f"/proc/{pid}/fd"
    links = []
    for fd in os.listdir(folder):
        try:
            links.append(os.readlink(f"{folder}/{fd}"))
        except FileNotFoundError:
            pass  # closed since the folder was listed
    return sum(1 for link in links if link.startswith("socket:"))


@pytest.mark.parametrize("close_idle, at_most", [(True, 2.5), (False, LIMIT_S)])
def test_idle_connections_go(close_idle, at_most):
    with Server() as server, Client(server.url(), close_idle=close_idle) as client:
        before = connections_of(client.process.pid)
        assert client.ask()["status"] == 200
        end = time.monotonic() + at_most
        while connections_of(client.process.pid) > before:
            assert time.monotonic() < end
            time.sleep(0.01)
        assert client.ask()["reused"] is False


def test_cap_on_connections():
    """100 requests at once over at most 4 connections, each answered."""
    at_once, most, lock = [0], [0], threading.Lock()

    def handler(request, sock):
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        time.sleep(0.005)
        with lock:
            at_once[0] -= 1
        return answer()

    with Server(handler) as server:
        replies = get_all(server.url(), count=100, connections=4)
        assert len(replies) == 100 and all(r.get("status") == 200 for r in replies)
        assert server.connections <= 4 and most[0] <= 4


def test_waiting_counts():
    """The deadline runs while a request waits for a connection."""
    hold = threading.Event()
    with Server(raw(hold=hold)) as server:
        replies = get_all(server.url(), count=3, connections=1, timeout=300)
        hold.set()
        assert all(r["ms"] < 2000 for r in replies)
        assert sum("no connection was free within 0.3 s" in r["error"] for r in replies) == 2


def test_interim_answers():
    parts = (b"HTTP/1.1 100 Continue\r\nX-A: no\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nX-A: no\r\n\r\n",
             answer("yes", headers=["X-A: yes"]))
    with Server(raw(*parts)) as server:
        reply = get(server.url(), show="X-A")
        assert reply["body"] == "yes" and reply["shown"] == "yes"


# --- bad answers


@pytest.mark.parametrize("parts, kind, says", [
    ((), "retry", "without an answer"),
    ((b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + CANARY.encode(),), "retry", "cut off"),
    ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",), "retry", ""),
    ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + CANARY.encode(),),
     "retry", ""),
    ((CANARY.encode() + b"\r\n\r\n",), "retry", "not HTTP"),
    ((b"HTTP/1.1 OK\r\n\r\n",), "retry", ""),
    ((b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",), "retry", ""),
    ((b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",), "limit", "longer than"),
    ((b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n",), "limit", "longer than 8388608"),
    ((b"HTTP/1.1 200 OK\r\n" + (b"X-A: " + b"b" * 92 + b"\r\n") * 1000,),
     "limit", "headers are longer than 64 KiB"),
    ((b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 200000 + b"\r\n\r\n",), "limit", "headers"),
    ((b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 9000000,), "limit", "longer than 8388608 bytes"),
    ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"400\r\n" + b"x" * 1024 + b"\r\n"
      + (b"400\r\n" + b"x" * 1024 + b"\r\n") * 9000,), "limit", "longer than 8388608 bytes"),
    ((b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",), None, ""),
])
def test_bad_answers(parts, kind, says):
    with Server(raw(*parts)) as server:
        reply = get(server.url("/x?" + CANARY), timeout=20000)
        if kind is None:
            assert reply["status"] == 200
        else:
            failed(reply, server, kind, says)


def test_endless_body():
    """Stopped at the limit, however much is sent."""
    def handler(request, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sock.sendall(b"x" * 65536)

    with Server(handler) as server:
        failed(get(server.url(), max_body=100000), server, "limit", "longer than 100000 bytes")


def test_body_of_the_limit():
    with Server(lambda r, s: answer("x" * 1000)) as server:
        assert len(get(server.url(), max_body=1000)["body"]) == 1000
        failed(get(server.url(), max_body=999), server, "limit", "longer than 999 bytes")


def test_reset():
    def handler(request, sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with Server(handler) as server:
        failed(get(server.url()), server, "retry", "")


def test_refused():
    port = free_port()
    reply = get(f"http://127.0.0.1:{port}/v1?{CANARY}")
    assert reply["error"] == f"http://127.0.0.1:{port}: connection refused"
    assert reply["kind"] == "retry"


def test_no_such_name():
    reply = get("http://no-such-host.invalid:8200/")
    assert reply["kind"] == "retry"
    assert "http://no-such-host.invalid:8200: the host name cannot be resolved" in reply["error"]


# --- time


def test_deadline_for_silence():
    hold = threading.Event()
    with Server(raw(hold=hold)) as server:
        reply = get(server.url(), timeout=400)
        hold.set()
        failed(reply, server, "retry", "did not answer within 0.4 s")
        assert 350 < reply["ms"] < 2000


def test_deadline_is_absolute():
    """A byte now and then does not put it off."""
    def handler(request, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            sock.sendall(b"x")
            time.sleep(0.02)

    with Server(handler) as server:
        reply = get(server.url(), timeout=500)
        failed(reply, server, "retry", "the answer was not complete within 0.5 s")
        assert reply["ms"] < 2000


def test_deadline_over_redirects():
    def handler(request, sock):
        time.sleep(0.3)
        return answer(status="307 Temporary Redirect", headers=["Location: /again"])

    with Server(handler) as server:
        reply = get(server.url(), timeout=700)
        failed(reply, server, "retry", "within 0.7 s")


def test_unanswered_connection():
    """A full backlog: SYNs are dropped, as a firewall does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fill = []
        for _ in range(4):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", port))
            fill.append(s)
        reply = get(f"http://127.0.0.1:{port}/", timeout=600)
        assert reply["error"] == f"http://127.0.0.1:{port}: no connection within 0.6 s"
        for s in fill:
            s.close()


@pytest.mark.parametrize("value, ms", [
    ("7", 7000), ("0", 0), ("-1", 0), ("1.5", 0), ("soon", 0), ("99999999999999999999", 3600000),
    (" 12 ", 12000), ("3601", 3600000), ("Thu, 01 Jan 1970 00:00:00 GMT", 0)])
def test_retry_after(value, ms):
    with Server(lambda r, s: answer(status="429 Too Many Requests",
                                    headers=[f"Retry-After: {value}"])) as server:
        reply = get(server.url())
        assert reply["status"] == 429 and reply["retry_after_ms"] == ms


def test_retry_after_date():
    """Relative to the server's own clock, even when that is a day wrong."""
    for skew in (0, 86400, -86400):
        now = time.time() + skew
        headers = [f"Retry-After: {email.utils.formatdate(now + 30, usegmt=True)}",
                   f"Date: {email.utils.formatdate(now, usegmt=True)}"]
        with Server(lambda r, s, h=headers: answer(status="503 No", headers=h)) as server:
            assert get(server.url())["retry_after_ms"] == 30000


# --- redirects


def redirects(to, status="307 Temporary Redirect", then=answer):
    def handler(request, sock):
        if request.target.startswith("/from") and not request.target.endswith("to"):
            return answer(CANARY, status=status, headers=[f"Location: {to}"])
        return then()
    return handler


@pytest.mark.parametrize("status, method", [
    ("301 Moved", "GET"), ("302 Found", "GET"), ("303 See Other", "GET"), ("307 T", "POST"),
    ("308 P", "POST")])
def test_redirect_here(status, method):
    with Server(redirects("/v1/to?x=y", status)) as server:
        reply = get(server.url("/from"), method="POST", body="data",
                    header=["X-Vault-Token: t"])
        assert reply["body"] == "good", reply
        second = server.requests[1]
        assert (second.method, second.target) == (method, "/v1/to?x=y")
        assert second.body == (b"data" if method == "POST" else b"")
        assert second.headers["x-vault-token"] == "t"


def test_redirect_forms():
    with Server() as server:
        for to in ("to", "../to", f"//127.0.0.1:{server.port}/to", server.url("/to"),
                   f"HTTP://127.0.0.1:{server.port}/to"):
            server.handler = redirects(to)
            assert get(server.url("/from/x"))["body"] == "good", to


def test_redirect_elsewhere():
    """Nothing is sent there, and the error names the place without path and query."""
    with Server() as other, Server() as server:
        for to, origin in [(other.url(f"/v1/{CANARY}?token={CANARY}"), f"http://127.0.0.1:{other.port}"),
                           (f"http://localhost:{server.port}/to", f"http://localhost:{server.port}"),
                           (f"https://127.0.0.1:{server.port}/to", f"https://127.0.0.1:{server.port}"),
                           ("http://127.0.0.1/to", "http://127.0.0.1:80")]:
            server.handler = redirects(to)
            reply = get(server.url("/from"), header=["X-Vault-Token: t"])
            failed(reply, server, "config", f"redirects to {origin}, which is not followed")
            assert reply["cause"] == 307
        server.handler = redirects("ftp://127.0.0.1/")
        failed(get(server.url("/from")), server, "config", "must begin with http")
        server.handler = redirects("http://[::1/")
        failed(get(server.url("/from")), server, "config", "no URL")
        server.handler = redirects(f"http://user:{CANARY}@127.0.0.1:{server.port}/")
        failed(get(server.url("/from")), server, "config", "user or password")
        assert not other.requests


def test_redirect_in_a_circle():
    with Server(redirects("/from")) as server:
        failed(get(server.url("/from")), server, "config", "more than 3 times")
        assert len(server.requests) == 4


def test_redirect_given_to_the_caller():
    with Server(redirects("http://elsewhere.invalid/")) as server:
        reply = get(server.url("/from"), no_redirect=1, show="Location")
        assert reply["status"] == 307 and reply["shown"] == "http://elsewhere.invalid/"
        server.handler = lambda r, s: answer(status="307 No Location")
        assert get(server.url("/from"))["status"] == 307
        server.handler = lambda r, s: answer(status="304 Not Modified", headers=["Location: /x"])
        assert get(server.url("/from"))["status"] == 304


# --- proxies


def proxy(seen, status=None):
    """A forward proxy that knows CONNECT."""
    def handler(request, sock):
        seen.append((request.method, request.target, dict(request.headers)))
        if status:
            return answer(status=status)
        if request.method != "CONNECT":
            return answer("by the proxy")
        host, port = request.target.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as up:
            sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            threading.Thread(target=pump, args=(up, sock), daemon=True).start()
            pump(sock, up)
        return None
    return handler


def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture(scope="module", name="tls")
def _tls(session_folder):
    pki = Pki(session_folder / "pki-proxy")
    root = pki.make("root", ext=Pki.CA)
    leaf = pki.make("leaf", by=root, ext=Pki.LEAF + "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    return root[0], leaf


def test_proxy_configured(tls):
    seen = []
    with Server(proxy(seen)) as p, Server(tls=tls_context(tls[1])) as server:
        # The proxy is named, so this machine is asked through it too.
        reply = get(server.url(), ca_file=tls[0], proxy=p.url(), header=["X-Vault-Token: t"])
        assert reply["body"] == "good"
        assert seen[0][:2] == ("CONNECT", f"127.0.0.1:{server.port}")
        assert "x-vault-token" not in seen[0][2]  # for the server alone
        assert server.requests[0].headers["x-vault-token"] == "t"
        assert get("http://127.0.0.1:1/x", proxy=p.url())["body"] == "by the proxy"


def test_proxy_of_the_environment(tls):
    seen = []
    with Server(proxy(seen)) as p:
        for name in ("HTTP_PROXY", "http_proxy"):
            assert get("http://vault.invalid/", environment(**{name: p.url()}))["body"] == "by the proxy"
        assert "error" in get("http://vault.invalid/", environment(HTTP_PROXY=p.url()), proxy="")
        assert "error" in get("http://vault.invalid/",
                              environment(HTTP_PROXY=p.url(), NO_PROXY="other,.invalid"))
        seen.clear()
        get("https://vault.invalid/", environment(HTTPS_PROXY=p.url()), ca_file=tls[0], timeout=2000)
        assert seen[0][:2] == ("CONNECT", "vault.invalid:443")
        with Server() as server:  # this machine itself: never
            seen.clear()
            env = environment(HTTP_PROXY=p.url(), http_proxy=p.url(), ALL_PROXY=p.url())
            assert get(server.url(), env)["body"] == "good"
            assert get(server.url(host="localhost"), env)["body"] == "good"
            assert not seen


def test_proxy_refuses(tls):
    with Server(proxy([], "407 Proxy Authentication Required")) as p:
        reply = get("https://vault.invalid/", ca_file=tls[0], proxy=p.url())
        assert "the proxy answered with HTTP status 407" in reply["error"], reply
    port = free_port()
    reply = get("http://vault.invalid/", proxy=f"http://127.0.0.1:{port}")
    assert "connection refused to the proxy" in reply["error"], reply
    reply = get("http://vault.invalid/", proxy="http://no-such.invalid:1")
    assert "proxy's name cannot be resolved" in reply["error"], reply


# --- answers without an end


def test_chunks():
    """Given as they come; the limit is that of one piece, slowness is no fault."""
    go = threading.Event()

    def handler(request, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for i in range(5):
            sock.sendall(b"5\r\nline%d\r\n" % i)
            go.wait(60)
            go.clear()
        sock.sendall(b"0\r\n\r\n")
        return None

    with Server(handler) as server, Client(server.url(), chunk=1, max_body=100) as client:
        client.say("-")
        for i in range(5):
            assert client.hear() == {"chunk": f"line{i}"}
            go.set()
        last = client.hear()
        assert last["status"] == 200 and last["body"] == ""


# --- traces


@pytest.mark.parametrize("close_idle", [True, False])
def test_nothing_of_an_answer_stays(tls, close_idle):
    """When the last call has ended, the process holds no copy of what it has read. Before
    the idle connection goes, a copy may lie in the arena or in the TLS library's buffer."""
    secret = "".join(chr(ord("a") + (i * 7919) % 26) for i in range(40)) * 3
    bodies = [json.dumps({"password": secret}), " " * 20000 + secret, secret + " " * 100000]
    with Server(tls=tls_context(tls[1])) as server:
        with Client(server.url(), ca_file=tls[0], quiet=1, close_idle=close_idle) as client:
            for body in bodies:
                server.handler = lambda r, s, b=body: answer(b, headers=[f"X-Secret: {secret}"])
                assert client.ask()["length"] == len(body)
            pid = client.process.pid
            end = time.monotonic() + LIMIT_S
            while any(search(pid, secret.encode()).values()):
                assert time.monotonic() < end, search(pid, secret.encode())
                time.sleep(0.05)


def test_output_is_json():
    """The tool itself: one line an answer."""
    with Server(lambda r, s: answer(json.dumps({"a": "ä\n"}))) as server:
        assert json.loads(get(server.url())["body"]) == {"a": "ä\n"}
