# SPDX-License-Identifier: Apache-2.0
"""The TLS programs of test/support/prog, of every variant that is built, and the openssl
command as the stranger that knows none of our mistakes."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import time

from agent_run import Lines
from machine import LIMIT_S, free_port, start

ROOT = pathlib.Path(__file__).resolve().parents[2]
VARIANTS = [v for v in ("openssl-glibc", "mbedtls-glibc", "mbedtls-musl")
            if (ROOT / "build" / v / "test/prog/tls_server").exists()]
OPENSSL = shutil.which("openssl")


def prog(variant, name):
    return str(ROOT / "build" / variant / "test/prog" / name)


def make_certs(variant, folder):
    os.makedirs(folder, exist_ok=True)
    subprocess.run([prog(variant, "make_certs"), str(folder),
                    str(ROOT / "test/cases/keys/rsa2048.pkcs8.pem")], check=True)
    shutil.copy(ROOT / "test/cases/keys/rsa2048.pkcs8.pem", f"{folder}/rsa.key")
    shutil.copy(f"{folder}/ec.key", f"{folder}/expired.key")
    return pathlib.Path(folder)


class Server:
    """tls_server of one variant."""

    def __init__(self, variant, cert, key, *args):
        self.process = start(
            [prog(variant, "tls_server"), *args, str(cert), str(key)],
            stdout=subprocess.PIPE, text=True)
        self.lines = Lines(self.process.stdout)
        self.port = int(self.lines.wait(lambda line: line.startswith("port ")).split()[1])
        self.url = f"https://localhost:{self.port}/"

    def signal(self, number, answer):
        self.process.send_signal(number)
        return self.lines.wait(lambda line: answer in line)

    def close(self):
        died = self.process.poll()
        self.process.kill()
        self.process.wait()
        assert died is None, f"the server ended by itself: {died}"


class Stranger:
    """openssl s_server with one of our certificates."""

    def __init__(self, folder, name, *args):
        self.port = free_port()
        self.process = start(
            [OPENSSL, "s_server", "-accept", f"127.0.0.1:{self.port}", "-www", "-quiet",
             "-cert", f"{folder}/{name}.pem", "-key", f"{folder}/{name}.key", *args],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.url = f"https://localhost:{self.port}/"
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            time.sleep(0.01)
        raise AssertionError("openssl s_server does not listen")

    def close(self):
        self.process.kill()
        self.process.wait()


def get(variant, url, *args):
    """(libcurl's code, the body or the error) of tls_get."""
    done = subprocess.run([prog(variant, "tls_get"), *map(str, args), url],
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout if done.returncode == 0 else done.stderr.strip()


def http_get(variant, url, *options):
    """What lib/http's own client answers, the one that the programs have."""
    done = subprocess.run([prog(variant, "http_get"), *map(str, options), url],
                          capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout.splitlines()[0])


def s_client(port, *args, value=""):
    """What openssl s_client prints about a handshake; `value` is typed after it."""
    done = subprocess.run(
        [OPENSSL, "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", *args],
        input=value, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


def connect(server, certs, version=None, session=None):
    """Python's own client, as a connection that stays open. A session to be resumed brings
    the context that made it."""
    if session:
        raw = socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_S)
        return session[0].wrap_socket(raw, server_hostname="localhost", session=session[1])
    context = ssl.create_default_context(cafile=f"{certs}/ca.pem")
    if version:
        context.minimum_version = context.maximum_version = version
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_S)
    return context.wrap_socket(raw, server_hostname="localhost")


def ask(conn, text="GET / HTTP/1.1\r\n\r\n"):
    """One request and its whole answer."""
    conn.sendall(text.encode())
    got = b""
    while b"\r\n\r\n" not in got:
        got += conn.recv(65536) or b"\r\n\r\n"
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(next(line.split(b":")[1] for line in head.split(b"\r\n")
                      if line.lower().startswith(b"content-length")))
    while len(body) < length:
        piece = conn.recv(65536)
        assert piece, "cut"
        body += piece
    return body.decode()


RELOAD, WIPE = signal.SIGHUP, signal.SIGUSR1
