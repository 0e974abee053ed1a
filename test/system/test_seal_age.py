# SPDX-License-Identifier: Apache-2.0
"""Our values are age v1: the age program of Debian opens what we seal, and we open what it
seals, with age-keygen's keys."""
import base64
import random
import shutil
import subprocess

import pytest

from seal_run import Seal, clear_of

pytestmark = pytest.mark.skipif(not shutil.which("age"), reason="needs Debian's package age")
SIZES = [0, 1, 15, 1000, 65535, 65536]


@pytest.fixture(name="seal")
def _seal(tmp_path):
    key = tmp_path / "age-key.txt"
    subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
    return Seal(tmp_path, key=key)


def age(*args, value):
    return subprocess.run(["age", *map(str, args)], input=value, capture_output=True,
                          check=True).stdout


@pytest.mark.parametrize("size", SIZES)
def test_age_opens_ours(seal, size):
    value = random.Random(size).randbytes(size)
    seal.put("a/b", value, "--empty", "-n", "shop", "-a", "web")
    clear, message = clear_of(seal.line("a/b", 1))
    assert age("-d", "-i", seal.key, value=message) == clear.encode() + b"\n" + value


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("recipients", [1, 3])
def test_we_open_ages(seal, tmp_path, size, recipients):
    value = random.Random(size).randbytes(size)
    args = []
    for i in range(recipients - 1):
        other = tmp_path / f"other{i}"
        subprocess.run(["age-keygen", "-o", other], check=True, capture_output=True)
        args += ["-r", subprocess.run(["age-keygen", "-y", other], capture_output=True,
                                      text=True).stdout.strip()]
    args += ["-r", seal.recipient]
    clear = "entry x 7 put * 2026-11-21T05:00:00Z somebody"
    message = age(*args, value=clear.encode() + b"\n" + value)
    line = clear + " " + base64.b64encode(message).decode()
    seal.file.write_text(f"ampoule-sealed v1\nrecipient {seal.recipient}\n\n{line}\n")
    assert seal.get("x") == value
    seal.verify()


def test_our_keys_are_ages(seal, tmp_path):
    mine = tmp_path / "mine"
    public = seal.keygen(mine)
    shown = subprocess.run(["age-keygen", "-y", mine], capture_output=True, text=True)
    assert shown.stdout.strip() == public
    assert age("-d", "-i", mine, value=age("-r", public, value=b"x")) == b"x"


def test_every_recipient_opens(seal, tmp_path):
    keys = [tmp_path / f"k{i}" for i in range(5)]
    public = [seal.keygen(k) for k in keys]
    seal.run("put", "a", *[w for p in public for w in ("-r", p)], value=b"v")
    message = clear_of(seal.line("a", 1))[1]
    for k in keys:
        assert age("-d", "-i", k, value=message).endswith(b"\nv")


def test_what_is_bound_inside_is_checked(seal):
    """age opens it, and the clear words are not those inside."""
    inner = "entry x 1 put shop 2026-11-21T05:00:00Z somebody"
    message = base64.b64encode(age("-r", seal.recipient, value=inner.encode() + b"\nv")).decode()
    for outer in ("entry y 1 put shop 2026-11-21T05:00:00Z somebody",
                  "entry x 2 put shop 2026-11-21T05:00:00Z somebody",
                  "entry x 1 put other 2026-11-21T05:00:00Z somebody",
                  "entry x 1 put shop/web 2026-11-21T05:00:00Z somebody",
                  "entry x 1 remove shop 2026-11-21T05:00:00Z somebody"):
        seal.file.write_text(f"ampoule-sealed v1\nrecipient {seal.recipient}\n\n{outer} {message}\n")
        path = outer.split(" ")[1]
        assert "moved or edited" in seal.fails("get", path, "-i", seal.key)
