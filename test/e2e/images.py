# SPDX-License-Identifier: Apache-2.0
"""The images of the test pods, made of programs of this machine (image/oci.py writes them): no
registry is asked. Ampoule's own image is that of `make image`."""
import os
import pathlib
import re
import subprocess
import sys

import postgres
from agent_run import prog

ROOT = pathlib.Path(__file__).resolve().parents[2]
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
sys.path.insert(0, str(ROOT / "image"))

import oci  # noqa: E402


def archive(path, name, programs, **config):
    """programs: path in the image → file of this machine"""
    files = {inside.strip("/"): (0o755, pathlib.Path(file).read_bytes())
             for inside, file in programs.items()}
    files["tmp"] = (0o1777, None)
    image = oci.Image(files, 0, "1970-01-01T00:00:00Z", ARCH, {}, **config)
    pathlib.Path(path).write_bytes(image.archive([name], 0))
    return path


def with_libraries(program):
    """A dynamic program and all that it loads, at their own paths."""
    said = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return {path: path for path in [program, *re.findall(r"(/\S+) \(0x", said)]}


def make(folder, bin_folder):
    """Archives of all images: the pods' first process, applications, and Ampoule."""
    folder = pathlib.Path(folder)
    busybox = {"/bin/busybox": bin_folder / "busybox"}
    psql = str(postgres.binaries() / "psql")
    ours = sorted(p for p in ROOT.glob(f"build/image/ampoule-[0-9]*-{ARCH}.tar")
                  if "-openssl-" not in p.name)
    assert ours, "there is no build/image/ampoule-VERSION-ARCH.tar: run 'make image'"
    return [
        archive(folder / "pause.tar", "localhost/pause:test", {"/pause": prog("pause")},
                Entrypoint=["/pause"]),
        archive(folder / "app.tar", "localhost/app:test",
                {**busybox, "/app": prog("demo_app")}, Entrypoint=["/app"]),
        archive(folder / "psql.tar", "localhost/psql:test",
                {**busybox, **with_libraries(psql), "/bin/psql": psql},
                Entrypoint=["/bin/psql"]),
        ours[-1]]
