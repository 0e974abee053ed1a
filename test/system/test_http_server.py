# SPDX-License-Identifier: Apache-2.0
"""The HTTP server (lib/http/server.h) in a program of its own, in every variant that is
built: TLS, a new certificate under load, hundreds of slow clients, a graceful end."""
import contextlib
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from agent_run import Lines
from machine import LIMIT_S, free_port, start
from tls_run import VARIANTS, make_certs, prog


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request):
    return request.param


@pytest.fixture(scope="module")
def certs(variant, tmp_path_factory):
    return make_certs(variant, tmp_path_factory.mktemp("certs"))


class Server:
    def __init__(self, variant, *args):
        self.process = start([prog(variant, "http_server"), *map(str, args)],
                             stdout=subprocess.PIPE, text=True)
        self.lines = Lines(self.process.stdout)
        self.port = int(self.lines.wait(lambda line: line.startswith("port ")).split()[1])

    def signal(self, number, answer):
        self.process.send_signal(number)
        return self.lines.wait(lambda line: answer in line)

    def counters(self):
        line = self.signal(signal.SIGUSR1, "open=")
        return {k: int(v) for k, v in (f.split("=") for f in line.split())}

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def trusting(certs):
    context = ssl.create_default_context(cafile=certs / "ca.pem")
    context.set_alpn_protocols(["http/1.1"])
    return context


def dial(server, context=None):
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_S)
    return context.wrap_socket(sock, server_hostname="localhost") if context else sock


def connection(server, context=None):
    if context:
        return http.client.HTTPSConnection("localhost", server.port, context=context,
                                           timeout=LIMIT_S)
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_S)


def ask(conn, method, path, body=None, headers=None):
    conn.request(method, path, body, headers or {})
    answer = conn.getresponse()
    return answer.status, answer.read()


def test_bodies_both_ways_over_tls(variant, certs):
    with Server(variant, "--tls", certs / "ec.pem", certs / "ec.key", "127.0.0.1:0") as s:
        conn = connection(s, trusting(certs))
        for size in (0, 1, 4095, 4096, 16384, 70000, 1 << 20):
            body = os.urandom(size)
            assert ask(conn, "POST", "/echo", body) == (200, body)
            pieces = [body[i:i + 3000] for i in range(0, size, 3000)]
            conn.request("POST", "/echo", iter(pieces), {"Transfer-Encoding": "chunked"},
                         encode_chunked=True)
            assert conn.getresponse().read() == body
        status, text = ask(conn, "GET", "/stream?200000")
        assert status == 200 and text.split()[-1] == b"199999"
        assert s.counters()["accepted"] == 1, "one connection served it all"
        status, _ = ask(conn, "POST", "/echo", bytes((1 << 20) + 1))
        assert status == 413
        assert ask(conn, "GET", "/hello")[0] == 200  # over a new one


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_versions(variant, certs, version):
    context = trusting(certs)
    context.minimum_version = context.maximum_version = version
    with Server(variant, "--tls", certs / "ec.pem", certs / "ec.key", "127.0.0.1:0") as s:
        with dial(s, context) as sock:
            assert sock.selected_alpn_protocol() == "http/1.1"
        _, text = ask(connection(s, context), "GET", "/tls")
        assert text.decode().startswith(version.name.replace("_", "."))


def test_a_new_certificate_drops_nobody(variant, certs, tmp_path):
    cert, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    shutil.copy(certs / "ec.pem", cert)
    shutil.copy(certs / "ec.key", key)
    context, failures, done, served = trusting(certs), [], threading.Event(), []

    def client(fresh):
        conn = connection(s, context)
        while not done.is_set():
            try:
                assert ask(conn, "POST", "/echo", b"x" * 5000) == (200, b"x" * 5000)
                served.append(1)
            except Exception as error:  # noqa: BLE001 - whatever it was, it is one
                failures.append(repr(error))
                return
            if fresh:
                conn.close()

    def serial():
        with dial(s, context) as sock:
            return sock.getpeercert()["serialNumber"]

    with Server(variant, "--tls", cert, key, "127.0.0.1:0") as s:
        clients = [threading.Thread(target=client, args=(i % 2,)) for i in range(4)]
        for c in clients:
            c.start()
        before = serial()
        for i in range(40):
            name = "late" if i % 2 == 0 else "ec"
            shutil.copy(certs / f"{name}.pem", cert)
            shutil.copy(certs / f"{name}.key", key)
            s.signal(signal.SIGHUP, "reloaded")
            assert (serial() == before) == (i % 2 == 1)
        done.set()
        for c in clients:
            c.join()
        assert not failures and len(served) > 4


def slow_clients(server, context, count):
    """A third says nothing, a third begins a head, a third a body."""
    socks = []
    for i in range(count):
        kind = i % 3
        sock = dial(server, context if kind else None)
        if kind == 1:
            sock.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nX-")
        elif kind == 2:
            sock.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nab")
        socks.append(sock)
    return socks


@pytest.mark.parametrize("limit", [1024, 200])
def test_600_slow_clients_cost_no_good_request(variant, certs, limit):
    context = trusting(certs)
    with Server(variant, "--tls", certs / "ec.pem", certs / "ec.key",
                "--connections", limit, "--scale", 4, "127.0.0.1:0") as s:
        good = connection(s, context)
        assert ask(good, "GET", "/hello")[0] == 200
        stop, failures, served = threading.Event(), [], []

        def serve_good():
            conn = connection(s, context)
            while not stop.is_set():
                try:
                    assert ask(conn, "POST", "/digest", b"y" * 20000)[0] == 200
                    served.append(1)
                except (http.client.RemoteDisconnected, ConnectionResetError,
                        AssertionError, OSError) as error:
                    failures.append(repr(error))
                    conn = connection(s, context)

        thread = threading.Thread(target=serve_good)
        thread.start()
        socks = slow_clients(s, context, 600)
        for _ in range(20):
            fresh = connection(s, context)
            assert ask(fresh, "GET", "/hello")[0] == 200
            fresh.close()
        begin = time.monotonic()
        for sock in socks:  # each of them is sent away, by a deadline or for another
            sock.settimeout(LIMIT_S)
            try:
                while sock.recv(4096):
                    pass
            except (ssl.SSLError, ConnectionResetError):
                pass
            sock.close()
        assert time.monotonic() - begin < 2 * LIMIT_S
        stop.set()
        thread.join()
        assert not failures and len(served) > 20
        assert s.rss_kib() < 64 * 1024


def test_the_end_loses_no_request(variant, certs):
    """Servers that end one after the other on one address, under clients that take a refused
    connection for a reason to try the next one, but nothing else."""
    context, done, lost, served = trusting(certs), threading.Event(), [], []

    def serve(port):
        return Server(variant, "--tls", certs / "ec.pem", certs / "ec.key",
                      f"127.0.0.1:{port}")

    def client(port):
        conn = None
        while not done.is_set():
            try:
                if conn is None:
                    conn = http.client.HTTPSConnection("localhost", port, context=context,
                                                       timeout=LIMIT_S)
                    conn.connect()
            except ConnectionRefusedError:
                conn = None
                continue
            try:
                conn.request("GET", "/later?3")
                answer = conn.getresponse()
                answer.read()
                served.append(answer.status)
                if answer.headers.get("Connection") == "close":
                    conn.close()
                    conn = None
            except Exception as error:  # noqa: BLE001
                lost.append(repr(error))
                conn = None

    port = free_port()  # taken by nobody between two servers
    server = serve(port)
    clients = [threading.Thread(target=client, args=(port,)) for _ in range(4)]
    for c in clients:
        c.start()
    for _ in range(8):
        so_far = len(served)
        while len(served) < so_far + 20 and not lost:
            time.sleep(0.01)
        server.signal(signal.SIGTERM, "drained")
        assert server.process.wait(LIMIT_S) == 0
        server = serve(port)
    done.set()
    for c in clients:
        c.join()
    with server:
        assert not lost
        assert set(served) == {200} and len(served) >= 160


def test_one_busy_client_starves_nobody(variant):
    """A client that sends one request behind the other without reading a pause, and another
    that wants one answer now and then."""
    with Server(variant, "127.0.0.1:0") as s, dial(s) as busy:
        request = (b"POST /digest HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" +
                   b"z" * 100000)
        stop = threading.Event()

        def flood():
            with contextlib.suppress(OSError):
                while not stop.is_set():
                    busy.sendall(request)

        def drink():
            with contextlib.suppress(OSError):
                while busy.recv(65536):
                    pass

        for f in (flood, drink):
            threading.Thread(target=f, daemon=True).start()
        conn = connection(s)
        for _ in range(200):
            assert ask(conn, "GET", "/hello")[0] == 200
        before = s.counters()["requests"]
        stop.set()
        assert before > 200, "the busy one was served as well"
        busy.shutdown(socket.SHUT_RDWR)


def test_descriptors_run_out_and_come_back(variant):
    with Server(variant, "127.0.0.1:0") as s:
        subprocess.run(["prlimit", f"--pid={s.process.pid}", "--nofile=30"], check=True)
        socks = [dial(s) for _ in range(60)]
        for sock in socks[:10]:
            sock.sendall(b"GET /later?1 HTTP/1.1\r\nHost: a\r\n\r\n")
        for sock in socks:
            sock.close()
        assert ask(connection(s), "GET", "/hello")[0] == 200


def test_idle_connections_are_small(variant, certs):
    context = trusting(certs)
    with Server(variant, "--tls", certs / "ec.pem", certs / "ec.key", "127.0.0.1:0") as s:
        conns = [connection(s, context) for _ in range(8)]
        for c in conns:
            assert ask(c, "POST", "/echo", b"w" * 20000)[0] == 200
        first = s.rss_kib()
        more = [connection(s, context) for _ in range(64)]
        for c in more:
            assert ask(c, "POST", "/echo", b"w" * 20000)[0] == 200
        each = (s.rss_kib() - first) / len(more)
        print(f"{variant}: {each:.1f} KiB an idle TLS connection")
        assert each < 64
