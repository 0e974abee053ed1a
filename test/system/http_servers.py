# SPDX-License-Identifier: Apache-2.0
"""Good and bad HTTP and TLS servers in this process, certificates of every kind of fault, and
the program http_get that talks to them."""
import datetime
import json
import os
import pathlib
import socket
import ssl
import subprocess
import threading

from machine import LIMIT_S, start
from store_run import prog


def run(*argv, cwd=None):
    done = subprocess.run(argv, cwd=cwd, capture_output=True, check=False, text=True)
    assert done.returncode == 0, f"{argv}: {done.stderr}"
    return done.stdout


class Pki:
    """Certificates by `openssl ca`, which alone can set both ends of the validity."""

    CONFIG = ("[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\npolicy=p\n"
              "unique_subject=no\nrand_serial=yes\nemail_in_dn=no\n[p]\ncommonName=supplied\n")
    KEYS = {"ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            "p192": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime192v1"],
            "rsa": ["-newkey", "rsa:2048"], "rsa1024": ["-newkey", "rsa:1024"]}
    CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
    LEAF = "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n"

    def __init__(self, folder):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        (self.dir / "ca.cnf").write_text(self.CONFIG)
        (self.dir / "index.txt").write_text("")

    @staticmethod
    def _when(days):
        at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
        return at.strftime("%Y%m%d%H%M%SZ")

    def make(self, name, by=None, ext=LEAF, key="ec", md="sha256", days=(-1, 2), cn=None):
        """(certificate, key) files; by=None signs itself."""
        cert, keyfile, csr, extfile = (str(self.dir / f"{name}.{x}")
                                       for x in ("pem", "key", "csr", "ext"))
        pathlib.Path(extfile).write_text(ext)
        run("openssl", "req", *self.KEYS[key], "-nodes", "-subj", f"/CN={cn or name}",
            "-keyout", keyfile, "-out", csr)
        signer = (["-cert", by[0], "-keyfile", by[1]] if by else
                  ["-selfsign", "-keyfile", keyfile])
        run("openssl", "ca", "-batch", "-notext", "-config", "ca.cnf", *signer, "-md", md,
            "-startdate", self._when(days[0]), "-enddate", self._when(days[1]),
            "-in", csr, "-out", cert, "-extfile", extfile, cwd=self.dir)
        return cert, keyfile

    def join(self, name, *certs):
        """One file of several certificates."""
        path = self.dir / name
        path.write_text("".join(pathlib.Path(c).read_text() for c in certs))
        return str(path)


def tls_context(cert, low=None, high=None, ciphers=None, client_ca=None):
    """cert: (certificate chain, key). Python's own floor is off: bad servers are wanted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = low or ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = high or ssl.TLSVersion.MAXIMUM_SUPPORTED
    context.set_ciphers(ciphers or "ALL:@SECLEVEL=0")
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE  # Python sets it
    if cert:
        context.load_cert_chain(*cert)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    return context


class Request:
    def __init__(self, text, body, connection):
        lines = text.split("\r\n")
        self.method, self.target, _ = lines[0].split(" ", 2)
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers.setdefault(name.lower(), value.strip())
        self.body = body
        self.connection = connection  # its number


def answer(body=b"good", status="200 OK", headers=()):
    if isinstance(body, str):
        body = body.encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Server:
    """with Server(handler, tls=context) as s: … s.url("/path")

    handler(request, socket) returns bytes to send, or None when it has done the talking
    itself and the connection shall end. raw=True: handler(socket) gets the fresh connection."""

    def __init__(self, handler=None, tls=None, host="127.0.0.1", unix=None, raw=False):
        self.handler = handler or (lambda request, sock: answer())
        self.raw, self.host, self.unix = raw, host, unix
        self.tls = tls
        self.requests, self.connections, self.open = [], 0, []
        self.lock = threading.Lock()
        family = socket.AF_UNIX if unix else socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.socket(family)
        self.listener.bind(unix or (host, 0))
        self.listener.listen(64)
        self.port = None if unix else self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.drop()

    def drop(self):
        """Closes all connections at once."""
        with self.lock:
            for sock in self.open:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def url(self, path="/", host=None):
        scheme = "https" if self.tls else "http"
        host = host or (f"[{self.host}]" if ":" in self.host else self.host)
        return f"{scheme}://{host}:{self.port}{path}"

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock, self.connections),
                             daemon=True).start()

    def _serve(self, sock, number):
        with self.lock:
            self.open.append(sock)
        try:
            if not self.unix:  # two writes in a row shall not wait for each other
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.raw:
                self.handler(sock)
                return
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
                with self.lock:
                    self.open.append(sock)
            while self._one(sock, number):
                pass
        except OSError:
            pass
        finally:
            with self.lock:
                if sock in self.open:
                    self.open.remove(sock)
            sock.close()

    def _one(self, sock, number):
        got = b""
        while b"\r\n\r\n" not in got:
            more = sock.recv(65536)
            if not more:
                return False
            got += more
        head, _, body = got.partition(b"\r\n\r\n")
        request = Request(head.decode("latin-1"), body, number)
        length = int(request.headers.get("content-length", 0))
        while len(request.body) < length:
            request.body += sock.recv(65536)
        with self.lock:
            self.requests.append(request)
        reply = self.handler(request, sock)
        if reply is None:
            return False
        sock.sendall(reply)
        return True


def _argv(url, options):
    argv = [os.environ.get("AMPOULE_PROG") or prog("http_get")]
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        argv += [f"{name}={int(v) if isinstance(v, bool) else v}" for v in values]
    return argv + [url]


def environment(**more):
    """Without proxies or CA settings of whoever runs the tests."""
    drop = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir")
    env = {k: v for k, v in os.environ.items() if k.lower() not in drop}
    env.update(more)
    return env


def get_all(url, env=None, **options):
    """Each line that http_get prints."""
    done = subprocess.run(_argv(url, options), capture_output=True, timeout=LIMIT_S, check=False,
                          env=env or environment())
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def get(url, env=None, **options):
    lines = get_all(url, env, **options)
    assert len(lines) == 1, lines
    return lines[0]


class Client:
    """with Client(url, ca_file=…) as c: c.ask(); c.ask(other_url)"""

    def __init__(self, url, env=None, **options):
        self.process = start(_argv(url, {**options, "count": 0, "stdin": 1}),
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             env=env or environment())

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.stdin.close()
        try:
            status = self.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.process.stdout.close()
        if exc[0] is None:
            assert status == 0

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def hear(self):
        return json.loads(self.process.stdout.readline())

    def ask(self, url="-"):
        self.say(url)
        return self.hear()
