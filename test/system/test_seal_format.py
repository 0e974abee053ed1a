# SPDX-License-Identifier: Apache-2.0
"""A second implementation of stores/FORMAT.md, written from that page alone, over the programs
age and openssl: it reads the vectors as expected.txt says, and ampoule reads what it writes."""
import base64
import hashlib
import pathlib
import re
import shutil
import subprocess

import pytest

from seal_run import Seal

pytestmark = pytest.mark.skipif(not shutil.which("age"), reason="needs Debian's package age")
VECTORS = pathlib.Path(__file__).parent.parent / "cases/seal/vectors"
ENTRY = re.compile(
    r"entry (?P<path>[A-Za-z0-9._@+=~:/-]{1,512}) (?P<version>[1-9]\d{0,15}) "
    r"(?P<action>put|remove|rollback:[1-9]\d*) (?P<scope>\*|[a-z0-9-]+(/[a-z0-9.-]+)?) "
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (?P<author>[A-Za-z0-9._~@+%-]{1,200}) "
    r"(?P<sealed>[A-Za-z0-9+/]+=*)( (?P<signature>[A-Za-z0-9+/]{128}))?")
NAMED = re.compile(r"entry (?P<path>\S+) (?P<version>[1-9]\d*) ")
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


class Refused(Exception):
    """With the kind of expected.txt."""


class Reader:
    def __init__(self, text, key, namespace, account):
        self.key, self.places = key, ("*", namespace, f"{namespace}/{account}")
        lines = text.splitlines()
        assert lines[0] == "ampoule-sealed v1"
        self.entries = {}
        for line in lines[1:]:
            named = NAMED.match(line)
            if named:
                at = (named["path"], int(named["version"]))
                self.entries.setdefault(at, []).append(ENTRY.fullmatch(line))

    def newest(self, path):
        versions = [v for p, v in self.entries if p == path]
        if not versions:
            raise Refused("missing")
        return max(versions)

    def open(self, path, version):
        if (path, version) not in self.entries:
            raise Refused("missing")
        lines = {m and m[0]: m for m in self.entries[path, version]}
        if len(lines) != 1 or None in lines:
            raise Refused("config")
        m = next(iter(lines.values()))
        clear = m[0][:m.start("sealed") - 1].encode()
        done = subprocess.run(["age", "-d", "-i", self.key], capture_output=True,
                              input=base64.b64decode(m["sealed"], validate=True))
        if done.returncode or done.stdout[:len(clear) + 1] != clear + b"\n":
            raise Refused("denied")
        if m["scope"] not in self.places:
            raise Refused("denied")
        return m["action"], done.stdout[len(clear) + 1:]

    def read(self, path, version):
        newest = self.newest(path)
        action, value = self.open(path, newest)
        if action == "remove":
            raise Refused("gone")
        if version not in (0, newest):
            action, value = self.open(path, version)
        if action.startswith("rollback:"):
            action, value = self.open(path, int(action.split(":")[1]))
        if action != "put":
            raise Refused("missing")
        return value

    def generation(self):
        newest = {}
        for (path, version), lines in self.entries.items():
            if None not in lines and len({m[0] for m in lines}) == 1:
                newest[path] = max(newest.get(path, 0), version)
        return sum(newest.values())


def shown(value):
    if not value:
        return "-"
    if len(value) < 1000:
        return base64.b64encode(value).decode()
    return "sha256:" + hashlib.sha256(value).hexdigest()


def test_vectors(tmp_path):
    key = tmp_path / "key"
    shutil.copy(VECTORS / "identity.txt", key)
    reader = Reader((VECTORS / "vectors.sealed").read_text(), key, "shop", "web")
    for line in (VECTORS / "expected.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        path, version, want = line.split(" ")
        try:
            got = shown(reader.read(path, int(version)))
        except Refused as why:
            got = str(why)
        assert got == want, line
    assert reader.generation() == 14


# --- signatures by openssl

def bech32(hrp, data):
    bits = "".join(f"{b:08b}" for b in data)
    bits += "0" * (-len(bits) % 5)
    five = [int(bits[i:i + 5], 2) for i in range(0, len(bits), 5)]
    values = [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp] + five + [0] * 6
    check = 1
    for v in values:
        top, check = check >> 25, (check & 0x1ffffff) << 5 ^ v
        for i, g in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
            check ^= g if top >> i & 1 else 0
    check ^= 1
    return hrp + "1" + "".join(BECH32[v] for v in five + [check >> 5 * (5 - i) & 31
                                                          for i in range(6)])


def openssl(*args, value=None):
    return subprocess.run(["openssl", *map(str, args)], input=value, check=True,
                          capture_output=True).stdout


def message(line):
    """What is signed."""
    return b"ampoule-sealed v1 signature\n" + " ".join(line.split(" ")[:8]).encode()


def test_openssl_verifies_ours(tmp_path):
    seal = Seal(tmp_path)
    writer = seal.keygen(tmp_path / "w", "--signing")
    seal.put("a", "1", "--sign", tmp_path / "w")
    line = seal.line("a", 1)
    pair = base64.b64decode(line.split(" ")[8], validate=True)
    assert bech32("ampoule-writer", pair[:32]) == writer
    (tmp_path / "pub.der").write_bytes(bytes.fromhex("302a300506032b6570032100") + pair[:32])
    (tmp_path / "sig").write_bytes(pair[32:])
    (tmp_path / "message").write_bytes(message(line))
    openssl("pkeyutl", "-verify", "-pubin", "-inkey", tmp_path / "pub.der", "-keyform", "DER",
            "-rawin", "-in", tmp_path / "message", "-sigfile", tmp_path / "sig")


def test_ampoule_reads_a_file_written_by_hand(tmp_path):
    seal = Seal(tmp_path)
    openssl("genpkey", "-algorithm", "ed25519", "-out", tmp_path / "k.pem")
    public = openssl("pkey", "-in", tmp_path / "k.pem", "-pubout", "-outform", "DER")[-32:]
    clear = "entry by/hand 1 put shop/web 2026-11-21T05:00:00Z somebody@example.org"
    sealed = subprocess.run(["age", "-r", seal.recipient], input=clear.encode() + b"\nvalue",
                            capture_output=True, check=True).stdout
    line = clear + " " + base64.b64encode(sealed).decode()
    (tmp_path / "message").write_bytes(message(line))
    signature = openssl("pkeyutl", "-sign", "-inkey", tmp_path / "k.pem", "-rawin", "-in",
                        tmp_path / "message")
    line += " " + base64.b64encode(public + signature).decode()
    seal.file.write_text(f"ampoule-sealed v1\nrecipient {seal.recipient}\n\n{line}\n")
    writer = bech32("ampoule-writer", public)
    assert seal.get("by/hand", "-w", writer) == b"value"
    assert "1 signed, all opened" in seal.verify("-w", writer).stdout.decode()
