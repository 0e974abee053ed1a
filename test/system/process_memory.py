# SPDX-License-Identifier: Apache-2.0
"""Searches another process's memory. The agent's arena is told by the kernel's own flags: it
is the only mapping that is both left out of dumps (dd) and wiped in forked children (wf)."""

import re


def mappings(pid):
    """(start, end, name, in_arena) of each readable mapping."""
    found, head = [], None
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as f:
        for line in f:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line)
            if m:
                head = m
            elif line.startswith("VmFlags:") and "r" in head[3]:
                flags = line.split()[1:]
                found.append((int(head[1], 16), int(head[2], 16), head[4] or "anonymous",
                              "dd" in flags and "wf" in flags))
    return found


def search(pid, needle):
    """{True: copies inside of the arena, False: outside} with the mapping's name for each."""
    hits = {True: [], False: []}
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for start, end, name, arena in mappings(pid):
            if name in ("[vvar]", "[vsyscall]", "[vdso]", "[vvar_vclock]"):
                continue
            at, tail = start, b""
            while at < end:
                try:
                    mem.seek(at)
                    block = mem.read(min(1 << 20, end - at))
                except OSError:
                    break
                if not block:
                    break
                hits[arena] += [name] * (tail + block).count(needle)
                tail = block[-(len(needle) - 1):]
                at += len(block)
    return hits
