# SPDX-License-Identifier: Apache-2.0
"""What all other tests stand on: nothing of a test is left when it is killed, nobody reads or
takes what is another's."""
import os
import pathlib
import subprocess
import sys

from agent_run import Lines, read, wait_until
from machine import free_port, start

HERE = pathlib.Path(__file__).parent
PARENT = """import sys
sys.path.insert(0, sys.argv[1])
import machine
print(machine.start(["sleep", "1000"]).pid, *(machine.free_port() for _ in range(50)), flush=True)
sys.stdin.read()
"""


def test_a_killed_run_leaves_no_program_and_no_port_behind():
    argv = [sys.executable, "-c", PARENT, HERE]
    parents = [start(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    said = [[int(word) for word in p.stdout.readline().split()] for p in parents]
    ports = [port for _, *some in said for port in some]
    low = int(read("/proc/sys/net/ipv4/ip_local_port_range").split()[0])
    assert len(set(ports)) == 100 and max(ports) < low and not any(p % 2 for p in ports)
    assert free_port() not in ports
    for parent in parents:
        parent.kill()
        parent.communicate()
    for child, *_ in said:
        wait_until("its end", lambda c=child: " Z " in (read(f"/proc/{c}/stat") or " Z "))


def test_lines_are_read_whoever_closes_the_stream():
    program = start(["sh", "-c", "read x; echo one; read x; printf two"], stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE, text=True, bufsize=1)
    lines, number = Lines(program.stdout), program.stdout.fileno()
    program.stdout.close()
    mine, other = os.pipe()  # takes the number; nobody reads of it
    assert number in (mine, other)
    os.write(other, b"mine\n")
    for word in ("one", "two"):
        program.stdin.write("\n")
        lines.wait(lambda line, w=word: line == w)
    lines.thread.join(60)
    assert not lines.thread.is_alive() and lines.all() == ["one", "two"]
    assert os.read(mine, 100) == b"mine\n"
    os.close(mine)
    os.close(other)
    program.stdin.close()
    assert program.wait(60) == 0
