# SPDX-License-Identifier: Apache-2.0
"""What tests take of the machine: programs that end with them, terminals, ports.

No Python ever runs between fork and exec, since a worker has threads: what a child must do
first (end with us, be somebody else) is done by setpriv and setsid."""
import contextlib
import os
import pty
import random
import re
import select
import signal
import socket
import subprocess
import termios
import time

LIMIT_S = 60


# --- programs -----------------------------------------------------------------------------

for _fd in os.listdir("/proc/self/fd"):  # those that we were given ourselves: as Python's own
    with contextlib.suppress(OSError):
        if int(_fd) > 2:
            os.set_inheritable(int(_fd), False)


def mortal(argv, user=None):
    """These words for a program that the kernel kills when the thread that starts it has ended,
    however that came; as `user` (of pwd), where one is given. Its process id stays the same."""
    who = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"] if user else []
    return ["/usr/bin/setpriv", "--pdeathsig=KILL", *who, "--", *map(os.fspath, argv)]


def start(argv, user=None, **keys):
    """subprocess.Popen of a mortal program. All descriptors of ours close by themselves when a
    program is executed; so told, Python uses posix_spawn() where it can: then no pipe, of which
    somebody else may hold an end, is waited for."""
    return subprocess.Popen(mortal(argv, user), close_fds=False, **keys)


class Terminal:
    """A program on a terminal of its own, as its session's leader."""

    def __init__(self, argv, env=None):
        self.fd, inside = pty.openpty()
        mode = termios.tcgetattr(self.fd)
        mode[3] |= termios.NOFLSH  # Ctrl-C would drop what the command has just written
        termios.tcsetattr(self.fd, termios.TCSANOW, mode)
        self.process = start(["/usr/bin/setsid", "--ctty", *argv], stdin=inside, stdout=inside,
                             stderr=inside, env={**os.environ, **(env or {})})
        os.close(inside)
        self.pid = self.process.pid
        self.text = self.everything = ""

    def has_lines(self):
        """Not the shell's own line editing any more, which would take keys as they come."""
        return termios.tcgetattr(self.fd)[3] & termios.ICANON

    def type(self, text):
        os.write(self.fd, text.encode())

    def shows(self, pattern, limit=LIMIT_S):
        end = time.monotonic() + limit
        while True:
            found = re.search(pattern, self.text)
            if found:
                self.text = self.text[found.end():]
                return found
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise AssertionError(f"no {pattern!r} in {self.text!r}")
            if not self._take():
                raise AssertionError(f"ended without {pattern!r}: {self.text!r}")

    def _take(self):
        """What is there; False: all programs on it have ended."""
        try:
            fresh = os.read(self.fd, 4096).decode(errors="replace")
        except OSError:
            return False
        self.text += fresh
        self.everything += fresh
        return True

    def ended(self, limit=LIMIT_S):
        """The program's exit status; all that it showed has been read then."""
        end = time.monotonic() + limit
        while select.select([self.fd], [], [], max(0, end - time.monotonic()))[0] and self._take():
            pass
        return self.process.wait(max(1, end - time.monotonic()))

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self.fd)


# --- ports --------------------------------------------------------------------------------

_held = []  # sockets whose names say which ports are this process's, until it ends


def free_port():
    """A TCP port of 127.0.0.1, and the one above it, which some servers take unasked. The kernel
    gives it to nobody by itself (it lies below ip_local_port_range), nor does free_port(), in
    whatever process, while this one lives: it can be used later, and again."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
        end = min(int(f.read().split()[0]), 30000)  # above are a cluster's node ports
    for _ in range(1000):
        port = random.SystemRandom().randrange(min(16000, end - 2000), end, 2)
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0ampoule-test-port-{port}")
            for number in (port, port + 1):
                with socket.socket() as s:
                    s.bind(("127.0.0.1", number))
        except OSError:
            name.close()
            continue
        _held.append(name)
        return port
    raise AssertionError("no free port")
