# SPDX-License-Identifier: Apache-2.0
"""The agent beside the real `bao agent`: see agent.sh."""
import argparse
import json
import os
import pathlib
import platform
import sys
import time

import agent_faults
import agent_parts
from agent_world import World

PARTS = {**agent_parts.PARTS, **agent_faults.PARTS}


def machine():
    model = next((x.split(":", 1)[1].strip() for x in open("/proc/cpuinfo", encoding="ascii")
                  if x.startswith("model name")), platform.machine())
    return (f"{os.cpu_count()} x {model}, Linux {platform.release()}, "
            f"load {'/'.join(f'{x:.1f}' for x in os.getloadavg())}")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--quick", action="store_true", help="fewer rounds, shorter waits")
    p.add_argument("--bin", default="build/static", help="folder of our executables")
    p.add_argument("--output", help="file for the tables, as Markdown")
    p.add_argument("part", nargs="*", choices=[[], *PARTS], help="all of them without one")
    args = p.parse_args()
    parts = args.part or list(PARTS)
    begin, tables = time.monotonic(), []
    print(f"machine: {machine()}\nfigures: min / median / max, or one value; ours, theirs")
    with World(os.path.abspath(args.bin)) as world:
        for name in parts:
            print(f"-- {name} (load {os.getloadavg()[0]:.1f})", flush=True)
            tables.append(PARTS[name](world, args.quick))
    text = "\n\n".join(t.markdown() for t in tables)
    if args.output:
        pathlib.Path(args.output).write_text(f"{machine()}\n\n{text}\n")
    missed = [f"{t.title}: {m}" for t in tables for m in t.missed]
    print(f"machine at the end: {machine()}; {time.monotonic() - begin:.0f} s")
    print("every target met" if not missed else "MISSED:\n  " + "\n  ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
