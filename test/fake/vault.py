# SPDX-License-Identifier: Apache-2.0
"""A hostile stand-in for Vault: whatever a real server cannot be made to answer.

    with FakeVault() as fake:
        fake.login()                       # auth/token/lookup-self, mounts kv/ and kv1/
        fake.on("kv/data/app", Answer(503), Answer(json=secret({"a": "b"})))
        ...
        assert fake.count("kv/data/app") == 2

Each path has a list of answers; the last one repeats. Every request is recorded.
"""
import dataclasses
import json
import socket
import ssl
import threading
import time

READ_LIMIT_S = 30


@dataclasses.dataclass
class Answer:
    status: int = 200
    json: object = None  # becomes the body
    body: bytes = b""
    headers: dict = dataclasses.field(default_factory=dict)
    delay: float = 0  # seconds before the first byte
    drip: float = 0  # seconds between the bytes of the body
    cut: int = -1  # so many bytes of the body are sent, though all were promised
    reset: bool = False  # the connection is reset instead of an answer
    hang: bool = False  # nothing is answered until the fake ends
    raw: bytes = None  # these bytes instead of an HTTP answer


@dataclasses.dataclass
class Request:
    at: float
    method: str
    path: str  # below /v1/, with its query
    headers: dict
    body: bytes
    connection: int

    def json(self):
        return json.loads(self.body or b"null")


def secret(data, **more):
    """An answer's JSON as Vault frames it."""
    return {"request_id": "00000000", "lease_id": "", "renewable": False, "lease_duration": 0,
            "data": data, "wrap_info": None, "warnings": None, "auth": None, **more}


def kv2(data, version=1, deletion_time="", destroyed=False):
    return secret({"data": data, "metadata": {
        "created_time": "2026-11-21T05:02:10.033356102Z", "custom_metadata": None,
        "deletion_time": deletion_time, "destroyed": destroyed, "version": version}})


def errors(*texts):
    return {"errors": list(texts)}


class FakeVault:
    def __init__(self, cert=None, key=None):
        self.answers = {}
        self.requests = []
        self.connections = 0
        self.lock = threading.Lock()
        self.ending = threading.Event()
        self.tls = None
        if cert:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(cert, key)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.address = f"{'https' if cert else 'http'}://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.ending.set()
        # wakes accept(), which a close alone does not
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            pass
        self.thread.join(5)
        self.listener.close()

    # --- what tests say

    def on(self, path, *answers):
        with self.lock:
            self.answers[path] = list(answers)

    def login(self, ttl=3600, renewable=True):
        """A token file's token is good; kv/ has version 2, kv1/ version 1, db/ leases."""
        self.on("auth/token/lookup-self", Answer(json=secret({"ttl": ttl, "renewable": renewable})))
        for mount, kind, version in (("kv", "kv", "2"), ("kv1", "kv", "1"), ("db", "database", None)):
            self.on(f"sys/internal/ui/mounts/{mount}/*", Answer(json=secret({
                "path": f"{mount}/", "type": kind,
                "options": {"version": version} if version else None})))

    def seen(self, path=None):
        with self.lock:
            return [r for r in self.requests if path is None or r.path == path]

    def count(self, path=None):
        return len(self.seen(path))

    def wait(self, n, limit=60):
        """Until n requests have come."""
        end = time.monotonic() + limit
        while self.count() < n:
            assert time.monotonic() < end, f"{self.count()} requests, not {n}"
            time.sleep(0.005)

    # --- the server

    def _accept(self):
        while not self.ending.is_set():
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(s,), daemon=True).start()

    def _serve(self, s):
        with self.lock:
            self.connections += 1
            number = self.connections
        s.settimeout(READ_LIMIT_S)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # head and body go apart
        try:
            if self.tls:
                s = self.tls.wrap_socket(s, server_side=True)
            with s, s.makefile("rb") as lines:
                while not self.ending.is_set() and self._one(s, lines, number):
                    pass
        except OSError:
            pass

    def _one(self, s, lines, number):
        first = lines.readline().decode("latin-1").split()
        if len(first) < 3:
            return False
        headers = {}
        while (line := lines.readline().decode("latin-1").strip()):
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = lines.read(int(headers.get("content-length", 0)))
        path = first[1].removeprefix("/v1/")
        r = Request(time.monotonic(), first[0], path, headers, body, number)
        with self.lock:
            self.requests.append(r)
            answer = self._choose(path.partition("?")[0])
        return self._send(s, answer)

    def _choose(self, path):
        names = [path] + [f"{path[:i]}/*" for i in range(len(path), 0, -1) if path[i:i + 1] == "/"]
        for name in names:
            found = self.answers.get(name)
            if found:
                return found.pop(0) if len(found) > 1 else found[0]
        return Answer(404, json=errors())

    def _send(self, s, a):
        if a.hang:
            self.ending.wait()
            return False
        if a.delay and self.ending.wait(a.delay):
            return False
        if a.reset:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return False
        if a.raw is not None:
            s.sendall(a.raw)
            return False
        body = a.body if a.json is None else json.dumps(a.json).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)),
                   **a.headers}
        head = f"HTTP/1.1 {a.status} X\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        s.sendall(head.encode() + b"\r\n")
        if a.cut >= 0:
            s.sendall(body[:a.cut])
            return False
        if a.drip:
            for i in range(len(body)):
                if self.ending.wait(a.drip):
                    return False
                s.sendall(body[i:i + 1])
            return True
        s.sendall(body)
        return True
