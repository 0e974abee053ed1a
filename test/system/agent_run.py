# SPDX-License-Identifier: Apache-2.0
"""Runs ampoule-agent and the applications of a test, and waits for what they say. Nothing
here sleeps for a fixed time: every wait is for an event, with a limit."""

import json
import os
import queue
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from machine import LIMIT_S, start

BIN = os.environ["AMPOULE_BIN"]
AGENT = f"{BIN}/ampoule-agent"
TOOL = f"{BIN}/ampoule"


def prog(name):
    """A small program of test/support/prog. Release executables have them beside their
    variant's folder."""
    here = os.path.dirname(BIN)
    for folder in (f"{here}/test/prog", f"{here}/mbedtls-musl/test/prog",
                   f"{here}/openssl-glibc/test/prog"):
        if os.path.exists(f"{folder}/{name}"):
            return f"{folder}/{name}"
    raise FileNotFoundError(name)


def wait_until(what, check, limit=LIMIT_S):
    """Polls a condition that has no event of its own (a file, a process)."""
    end = time.monotonic() + limit
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"did not happen within {limit} s: {what}")
        time.sleep(0.005)


class Lines:
    """What a program prints, line by line, with a wait for one of them. It is read from a
    descriptor of our own, which the reading thread closes, and nobody else: so nobody reads a
    number that has become another's."""

    def __init__(self, stream):
        self.fd = os.dup(stream.fileno())
        self.poll = select.poll()
        self.poll.register(self.fd, select.POLLIN)
        self.queue = queue.Queue()
        self.seen = []
        self.rest = b""
        self.lock = threading.Lock()  # whoever holds it reads
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _take(self):
        """What is there goes to the queue, as lines. None: nothing; False: no more will come."""
        with self.lock:
            if self.fd < 0:
                return False
            if not self.poll.poll(0):
                return None
            some = os.read(self.fd, 1 << 16)
            *whole, self.rest = (self.rest + some).split(b"\n")
            if not some and self.rest:
                whole.append(self.rest)
                self.rest = b""
            for line in whole:
                self.queue.put(line.decode(errors="replace"))
            return bool(some)

    def _read(self):
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        while self._take() is not False:
            poll.poll()
        with self.lock:
            os.close(self.fd)
            self.fd = -1
        self.queue.put(None)

    def _drain(self):
        while not self.queue.empty():
            line = self.queue.get()
            if line is not None:
                self.seen.append(line)

    def all(self):
        """Whatever was written before this call."""
        self._take()
        self._drain()
        return list(self.seen)

    def wait(self, check, limit=LIMIT_S):
        """The first line, from now on, for which check(line) is true."""
        end = time.monotonic() + limit
        while True:
            try:
                line = self.queue.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError("no such line; seen:\n" + "\n".join(self.seen[-40:]))
            if line is None:
                raise AssertionError("the program ended; seen:\n" + "\n".join(self.seen[-40:]))
            self.seen.append(line)
            if check(line):
                return line


class Agent:
    """One agent process with its configuration in a folder of its own."""

    def __init__(self, folder, config, *args, env=None, name="agent", wrap=()):
        self.folder = str(folder)
        self.socket = f"{self.folder}/{name}.sock"
        self.config = f"{self.folder}/{name}.hcl"
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(f'status_socket = "{self.socket}"\n' + config)
        self.process = start(
            [*wrap, AGENT, "--config", self.config, "--log-format", "json", *args],
            stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
        self.lines = Lines(self.process.stderr)

    # --- what it says
    def event(self, msg, limit=LIMIT_S, **fields):
        """Waits for a log or audit line with this message and these fields."""
        def check(line):
            if not line.startswith("{"):
                return False
            got = json.loads(line)
            return got["msg"] == msg and all(got.get(k) == v for k, v in fields.items())
        return json.loads(self.lines.wait(check, limit))

    def events(self, msg):
        found = [json.loads(x) for x in self.lines.all() if x.startswith("{")]
        return [x for x in found if x["msg"] == msg]

    def output(self):
        return "\n".join(self.lines.all())

    # --- what it is asked
    def started(self, limit=LIMIT_S):
        subprocess.run([AGENT, "--probe", "startup", "--wait", "--timeout", f"{limit}s",
                        "--socket", self.socket], check=True)
        return self

    def probe(self, what):
        return subprocess.run([AGENT, "--probe", what, "--socket", self.socket],
                              capture_output=True, text=True)

    def status(self):
        done = subprocess.run([TOOL, "status", "--json", "--socket", self.socket],
                              capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def file_status(self, name):
        return next(f for f in self.status()["files"] if f["file"].endswith(name))

    # --- its end
    def ended(self, limit=LIMIT_S):
        """Its exit code; all that it said has been read then."""
        code = self.process.wait(timeout=limit)
        self.lines.thread.join(limit)
        return code

    def stop(self, limit=LIMIT_S):
        self.process.send_signal(signal.SIGTERM)
        return self.ended(limit)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class App:
    """The demo's application: re-reads on SIGHUP, unless deaf."""

    def __init__(self, path, *args, wrap=(), pid_file=None):
        self.process = start([*wrap, prog("demo_app"), path, *args], stdout=subprocess.PIPE,
                             text=True)
        self.lines = Lines(self.process.stdout)
        if pid_file:
            with open(pid_file, "w", encoding="ascii") as f:
                f.write(str(self.process.pid))

    def says(self, text, limit=LIMIT_S):
        return self.lines.wait(lambda line: line.split(" ", 1)[1].startswith(text), limit)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Sealed:
    """A sealed file and its key: the store that needs no server."""

    def __init__(self, folder):
        self.file, self.key = f"{folder}/secrets.sealed", f"{folder}/seal.key"
        out = run(TOOL, "seal", "keygen", "--output", self.key).stdout
        self.public = next(word for word in out.split() if word.startswith("age1"))

    def put(self, path, value):
        first = [] if os.path.exists(self.file) else ["-r", self.public]
        run(TOOL, "seal", "put", "--file", self.file, *first, path, value=value)

    def remove(self, path):
        run(TOOL, "seal", "remove", "--file", self.file, path)

    def rollback(self, path):
        run(TOOL, "seal", "rollback", "--file", self.file, path)

    def store(self, name="sealed"):
        return (f'store "{name}" {{\n type = "sealed"\n file = "{self.file}"\n'
                f' key_file = "{self.key}"\n}}\n')


def run(*argv, value=None, check=True, env=None, limit=60):
    done = subprocess.run(argv, input=value, capture_output=True, text=True, timeout=limit,
                          env={**os.environ, **(env or {})})
    if check and done.returncode:
        raise AssertionError(f"{argv}: exit {done.returncode}: {done.stderr}")
    return done


def memory_folder():
    """A folder on a memory file system; the caller removes it."""
    return tempfile.mkdtemp(prefix="ampoule-test-", dir="/dev/shm")


def remove_folder(path):
    shutil.rmtree(path, ignore_errors=True)


def read(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except (FileNotFoundError, ProcessLookupError):  # the latter: of /proc, while it ends
        return None


def deliver(folder, *containers):
    """deliver stanzas whose mount is the folder itself (a plain machine)."""
    return "".join(f'deliver "{c}" {{\n folder = "{folder}/{c}"\n mount = "{folder}/{c}"\n}}\n'
                   for c in containers)


def template(destination, contents, **keys):
    text = json.dumps(contents)
    lines = [f"template {{\n destination = \"{destination}\"\n contents = {text}\n"]
    lines += [f" {k} = {json.dumps(v)}\n" for k, v in keys.items()]
    return "".join(lines) + "}\n"
