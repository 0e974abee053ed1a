# SPDX-License-Identifier: Apache-2.0
"""A proxy before a real store: it counts requests and connections, and makes the store fail as
networks and load balancers do.

    with StoreProxy(lambda: bao.port, bao.cert, bao.key) as proxy:
        agent(address=proxy.address)
        proxy.rule = lambda r: 503 if r.path.startswith("kv/") else None
        proxy.refuse(); proxy.accept()
        assert proxy.count() == 2

A rule sees each request before the store does. It returns None (pass it on), a status (answered
here, the store never sees it), a Rule, or HANG (nothing is ever answered on that connection).
"""
import asyncio
import dataclasses
import json
import ssl
import threading
import time

from machine import free_port

HANG = object()
LIMIT_S = 60


@dataclasses.dataclass
class Rule:
    status: int = 0  # 0: the store answers
    delay: float = 0
    body: dict = None
    headers: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Seen:
    at: float
    method: str
    path: str  # below /v1/, without its query
    connection: int
    status: int = 0  # of the answer, 0 = none yet


class StoreProxy:
    def __init__(self, target, cert=None, key=None):
        self.target = target  # the store's plain port, now
        self.rule = None
        self.requests, self.connections = [], 0
        self.tls = None
        if cert:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(cert, key)
        self.scheme = "https" if cert else "http"
        self.port, self.server, self.open = free_port(), None, set()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        self.accept()
        return self

    def __exit__(self, *exc):
        self.refuse()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(LIMIT_S)
        self.loop.close()

    @property
    def address(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def _do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(LIMIT_S)

    # --- what tests say

    def accept(self):
        """Listens again, at the same address."""
        self._do(self._accept())

    def refuse(self):
        """Nobody listens any more, and what is open is reset."""
        self._do(self._refuse())

    def drop(self):
        """Ends what is open; new connections are welcome."""
        self._do(self._drop())

    def seen(self, since=0.0, until=float("inf"), path=""):
        return [r for r in list(self.requests)
                if since <= r.at < until and r.path.startswith(path)]

    def count(self, **keys):
        return len(self.seen(**keys))

    # --- the loop's side

    async def _accept(self):
        if not self.server:
            self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port,
                                                     ssl=self.tls, backlog=256)

    async def _refuse(self):
        if self.server:
            self.server.close()
            self.server = None
        await self._drop()

    async def _drop(self):
        for task in list(self.open):
            task.cancel()
        await asyncio.gather(*self.open, return_exceptions=True)

    async def _serve(self, reader, writer):
        self.connections += 1
        task, upstream = asyncio.current_task(), [None, None]
        self.open.add(task)
        try:
            number = self.connections
            while await self._one(reader, writer, upstream, number):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            self.open.discard(task)
            for w in (writer, upstream[1]):
                if w:
                    w.transport.abort()

    async def _one(self, reader, writer, upstream, number):
        head = await reader.readuntil(b"\r\n\r\n")
        method, url, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        body = await reader.readexactly(length_of(head))
        seen = Seen(time.monotonic(), method, url.removeprefix("/v1/").partition("?")[0], number)
        self.requests.append(seen)
        rule = self.rule(seen) if self.rule else None
        if rule is HANG:
            await asyncio.Event().wait()
        rule = rule if isinstance(rule, Rule) else Rule(rule or 0)
        if rule.delay:
            await asyncio.sleep(rule.delay)
        answer = answer_of(rule) if rule.status else await self._ask(upstream, head + body)
        seen.status = int(answer.split(b" ", 2)[1])
        writer.write(answer)
        await writer.drain()
        return True

    async def _ask(self, upstream, request):
        if not upstream[0]:
            upstream[:] = await asyncio.open_connection("127.0.0.1", self.target())
        reader, writer = upstream
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if b"\r\ntransfer-encoding: chunked\r\n" not in head.lower():
            return head + await reader.readexactly(length_of(head))
        answer = head
        while True:
            line = await reader.readuntil(b"\r\n")
            answer += line + await reader.readexactly(int(line, 16) + 2)
            if line == b"0\r\n":
                return answer


def length_of(head):
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


def answer_of(rule):
    body = json.dumps(rule.body or {"errors": ["refused by the test's proxy"]}).encode()
    headers = {"Content-Type": "application/json", "Content-Length": len(body), **rule.headers}
    lines = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    return f"HTTP/1.1 {rule.status} X\r\n{lines}\r\n".encode() + body
