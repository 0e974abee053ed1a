# SPDX-License-Identifier: Apache-2.0
"""kill -9 before every system call of a write, and writers at the same time."""
import collections
import re
import shutil
import subprocess
import threading
import time

import pytest

from seal_run import TOOL, Seal


@pytest.fixture(name="seal")
def _seal(tmp_path):
    return Seal(tmp_path)


def calls_of(seal, args, value):
    """How often a whole run makes each system call."""
    trace = seal.folder / "trace"
    subprocess.run(["strace", "-f", "-o", trace, *args], input=value, check=True, env=seal.env,
                   capture_output=True)
    names = re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.M)
    trace.unlink()
    return collections.Counter(n for n in names if n not in ("execve", "exit_group"))


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
def test_kill_before_every_system_call_of_put(seal):
    seal.put("a", "old")
    seal.put("b", "kept")
    old = seal.file.read_bytes()
    args = [TOOL, "seal", "put", "-f", seal.file, "a"]
    calls = calls_of(seal, args, b"new")
    assert calls["rename"] + calls["renameat"] + calls["renameat2"] == 1
    outcomes = collections.Counter()
    for name, count in calls.items():
        for nth in range(1, count + 1):
            seal.file.write_bytes(old)
            # The call itself does not happen any more.
            subprocess.run(["strace", "-f", "-o", "/dev/null", "-e",
                            f"inject={name}:error=EINTR:signal=KILL:when={nth}", *args],
                           input=b"new", capture_output=True, env=seal.env)
            if seal.file.read_bytes() == old:
                outcomes["old"] += 1
                continue
            outcomes["new"] += 1
            seal.verify()
            assert (seal.get("a"), seal.get("b")) == (b"new", b"kept"), (name, nth)
    assert outcomes["old"] > 20 and outcomes["new"] > 0, outcomes
    print(f"{sum(outcomes.values())} points: {dict(outcomes)}")
    # The next writer takes away what the killed ones left.
    seal.put("a", "last")
    left = [p.name for p in seal.folder.iterdir() if ".tmp" in p.name]
    assert left == [] and seal.get("a") == b"last"


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EDQUOT"])
def test_a_failing_disk_is_an_error_and_keeps_the_old_file(seal, error):
    seal.put("a", "old")
    old = seal.file.read_bytes()
    for call in ("write", "fsync", "rename,renameat,renameat2", "openat"):
        for nth in (1, 2, 3):
            done = subprocess.run(["strace", "-f", "-o", "/dev/null", "-P", seal.folder, "-P",
                                   seal.file, "-e", f"inject={call}:error={error}:when={nth}",
                                   TOOL, "seal", "put", "-f", seal.file, "a"], input=b"new",
                                  capture_output=True, env=seal.env)
            if done.returncode == 0:
                assert seal.get("a") == b"new"
                seal.file.write_bytes(old)
            else:
                assert seal.file.read_bytes() == old
                assert done.stderr


def writer(seal, name, until, done):
    """Puts in a loop, on an entry of its own and on one that all share."""
    env = {**seal.env, "AMPOULE_AUTHOR": name}
    while time.monotonic() < until:
        for path in (f"own/{name}", "shared"):
            run = subprocess.run([TOOL, "seal", "put", "-f", seal.file, path],
                                 input=f"{name} {done[path]}".encode(), capture_output=True,
                                 env=env)
            assert run.returncode == 0, run.stderr
            done[path] += 1


def test_two_writers_lose_nothing(seal):
    seal.put("shared", "first")
    until = time.monotonic() + 10
    counts = [collections.Counter() for _ in range(2)]
    threads = [threading.Thread(target=writer, args=(seal, f"w{i}", until, counts[i]))
               for i in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for i, c in enumerate(counts):
        lines = [l for l in seal.lines() if l.startswith(f"entry own/w{i} ")]
        assert len(lines) == c[f"own/w{i}"] > 10
    shared = [l.split(" ") for l in seal.lines() if l.startswith("entry shared ")]
    assert len(shared) == 1 + counts[0]["shared"] + counts[1]["shared"]
    assert [int(w[2]) for w in shared] == list(range(1, len(shared) + 1))
    assert {w[6] for w in shared} == {"Tester%20%3Ct@example.org%3E", "w0", "w1"}
    seal.verify()
    print(f"{sum(map(sum, (c.values() for c in counts)))} writes")
