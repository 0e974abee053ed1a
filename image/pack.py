#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packs the release executables into a container image FROM scratch.

    pack.py --version 0.1.0 --bin build/static --deps build/deps/musl --out build/image/x.tar

The image holds the three executables, CA certificates, the licences of what is linked, and a
bill of materials. Its user is no root. Nothing in it depends on this machine, this folder or
this hour: times are SOURCE_DATE_EPOCH, else the last commit's. Prints digest and sizes.
"""
import argparse
import datetime
import glob
import os
import pathlib
import re
import subprocess
import sys

import oci
import sbom

HERE = pathlib.Path(__file__).resolve().parent
# In the image: in the build. Pods mount volumes below /ampoule, so no file may have that name.
PROGRAMS = {"bin/ampoule": "ampoule", "ampoule-agent": "ampoule-agent",
            "ampoule-webhook": "ampoule-webhook"}
SOURCE = "https://ampoule.dev"
SUITE = "13"  # of Debian, whose sources image/deps/thirdparty.sh builds
USER = "65532:65532"
MIB = 1 << 20


def fail(text):
    sys.exit(f"pack.py: {text}")


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def epoch_of():
    said = os.environ.get("SOURCE_DATE_EPOCH")
    if said:
        return int(said)
    try:
        return int(output("git", "-C", str(HERE), "log", "-1", "--format=%ct"))
    except (OSError, subprocess.CalledProcessError):
        return 0


def installed(package):
    """(version, purl) of a Debian package of this machine; the purl names its source."""
    version, source, of_source = output(
        "dpkg-query", "-W", "-f", "${Version} ${source:Package} ${source:Version}", package).split()
    release = re.search(r'^VERSION_ID="?(\d+)', pathlib.Path("/etc/os-release").read_text(), re.M)
    return version, debian(source, of_source, release[1] if release else "sid")


def debian(name, version, release):
    return sbom.purl("deb/debian", name, version, arch="source", distro=f"debian-{release}")


def parts_of(deps, cross):
    """What is linked: [(name, version, purl, checksums)], and {name: file with its licence}."""
    locked = {}
    for line in (HERE / "deps/sources.lock").read_text().splitlines():
        if line and not line.startswith("#"):
            name, version, _, _, digest = line.split()
            locked.setdefault((name, version), []).append(digest)
    parts, licences = [], {}
    for line in (deps / "versions").read_text().splitlines():
        name, version = line.split()
        if name in sbom.KNOWN:
            parts.append((name, version, debian(name, version, SUITE),
                          locked.get((name, version), [])))
            licences[name] = deps / "share" / f"{name}.copyright"
    if "musl" not in licences:
        parts.append(("musl", *installed("musl-dev"), []))
        licences["musl"] = pathlib.Path("/usr/share/doc/musl/copyright")
    major = output(f"{cross}gcc", "-dumpversion").split(".")[0]
    library = f"libgcc-{major}-dev" + ("-arm64-cross" if cross else "")
    parts.append(("gcc", *installed(library), []))
    licences["gcc"] = pathlib.Path(f"/usr/share/doc/{library}/copyright")
    return parts, licences


def certificates(venv):
    """Mozilla's roots as the package certifi carries them: (part, licence, PEM)."""
    found = glob.glob(f"{venv}/lib/python3*/site-packages/certifi-*.dist-info")
    if len(found) != 1:
        fail(f"no certifi in {venv}: run 'make deps'")
    info = pathlib.Path(found[0])
    version = info.name[len("certifi-"):-len(".dist-info")]
    licence = next(info.rglob("LICENSE"))
    pem = (info.parent / "certifi/cacert.pem").read_bytes()
    return ("certifi", version, sbom.purl("pypi", "certifi", version), []), licence, pem


def contents(args, tag, created):
    parts, licences = parts_of(args.deps, args.cross)
    part, licence, pem = certificates(args.venv)
    parts.append(part)
    licences["certifi"] = licence
    files = {p: (0o755, (args.bin / name).read_bytes()) for p, name in PROGRAMS.items()}
    files["etc/ssl/certs/ca-certificates.crt"] = (0o644, pem)
    files["etc/passwd"] = (0o644, b"root:x:0:0::/:\nampoule:x:65532:65532::/:\n")
    files["etc/group"] = (0o644, b"root:x:0:\nampoule:x:65532:\n")
    files["licenses/ampoule"] = (0o644, (HERE.parent / "LICENSE").read_bytes())
    for name, path in licences.items():
        files[f"licenses/{name}"] = (0o644, path.read_bytes())
    # No version: that would be the digest of the image, which holds this document.
    whole = sbom.purl("oci", "ampoule", "", arch=args.arch, tag=tag)
    bill = oci.canonical(sbom.document(args.version, f"{args.variant}-{args.arch}", whole, created,
                                       parts, files)) + b"\n"
    files["sbom.spdx.json"] = (0o644, bill)
    return files, bill


def arguments():
    a = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    a.add_argument("--version", required=True)
    a.add_argument("--variant", default="mbedtls", choices=("mbedtls", "openssl"))
    a.add_argument("--arch", default="amd64", choices=("amd64", "arm64"))
    a.add_argument("--bin", type=pathlib.Path, required=True, help="folder of the executables")
    a.add_argument("--deps", type=pathlib.Path, required=True, help="what they were linked with")
    a.add_argument("--venv", default="build/deps/venv")
    a.add_argument("--cross", default="", help="prefix of the compiler, as aarch64-linux-gnu-")
    a.add_argument("--name", action="append", help="REPOSITORY:TAG, once or more")
    a.add_argument("--out", type=pathlib.Path, required=True)
    return a.parse_args()


def main():
    args = arguments()
    epoch = epoch_of()
    created = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ")
    tag = args.version + ("" if args.variant == "mbedtls" else "-" + args.variant)
    files, bill = contents(args, tag, created)
    image = oci.Image(
        files, epoch, created, args.arch,
        {"org.opencontainers.image.title": "Ampoule",
         "org.opencontainers.image.description": "secrets for pods: agent, webhook, tool",
         "org.opencontainers.image.url": SOURCE, "org.opencontainers.image.version": tag,
         "org.opencontainers.image.licenses": "Apache-2.0",
         "org.opencontainers.image.created": created},
        User=USER, Entrypoint=["/ampoule-agent"], WorkingDir="/",
        Env=["PATH=/:/bin"])
    args.out.parent.mkdir(parents=True, exist_ok=True)
    data = image.archive(args.name or [f"localhost/ampoule:{tag}"], epoch)
    part = args.out.with_name("." + args.out.name)
    part.write_bytes(data)
    part.replace(args.out)
    args.out.with_suffix(".spdx.json").write_bytes(bill)
    size = sum(len(d) for _, d in files.values())
    print(f"  {args.out}: {image.compressed_size} bytes compressed "
          f"({image.compressed_size / MIB:.2f} MiB), {size} unpacked, {image.digest}")


if __name__ == "__main__":
    main()
