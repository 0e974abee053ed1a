# SPDX-License-Identifier: Apache-2.0
"""lib/crypto of every built variant beside every other: the same line must give the same
answer, and what one makes the others must take. Python's hashlib stands beside for digests."""

import hashlib
import hmac
import itertools
import random
import shutil
import subprocess

import pytest

import tls_run
from tls_run import ROOT, VARIANTS

pytestmark = pytest.mark.skipif(len(VARIANTS) < 2, reason="one variant only is built")
KEYS = ROOT / "test/cases/keys"
ALGS = ["md5", "sha1", "sha256", "sha384", "sha512"]
ORDER = 2**252 + 27742317777372353535851937790883648493
SMALL_Y = ["00" * 32, "01" + "00" * 31, "ec" + "ff" * 30 + "7f",
           "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
           "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"]


def run(variant, lines):
    done = subprocess.run([tls_run.prog(variant, "crypto_run")], input="\n".join(lines) + "\n",
                          capture_output=True, text=True, check=True, timeout=120)
    answers = done.stdout.splitlines()
    assert len(answers) == len(lines)
    return answers


def same(lines):
    """The answers, which are those of every variant."""
    first, *others = [run(v, lines) for v in VARIANTS]
    for variant, answers in zip(VARIANTS[1:], others):
        for line, a, b in zip(lines, first, answers):
            assert a == b, f"{VARIANTS[0]}: {a}\n{variant}: {b}\n{line}"
    return first


def hexes(rng, *lens):
    return [rng.randbytes(n).hex() or "-" for n in lens]


@pytest.fixture
def rng():
    return random.Random(20261121)


def test_digests_and_derivations(rng):
    lines, want = [], []
    for i in range(200):
        alg, (key, data) = i % 5, hexes(rng, rng.randrange(200), rng.randrange(300))
        raw = [bytes.fromhex(x.strip("-")) for x in (key, data)]
        lines += [f"digest {alg} {data}", f"hmac {alg} {key} {data}", f"pbkdf2 {key} {data}"]
        want += [hashlib.new(ALGS[alg], raw[1]).hexdigest(),
                 hmac.digest(raw[0], raw[1], ALGS[alg]).hex(),
                 hashlib.pbkdf2_hmac("sha256", raw[0], raw[1], 7, 32).hex()]
    assert same(lines) == want
    same([f"hkdf {' '.join(hexes(rng, rng.randrange(99), rng.randrange(99), rng.randrange(99)))}"
          for _ in range(100)])


def test_aead(rng):
    seals = []
    for i in range(200):
        key, nonce, aad, plain = hexes(rng, 32, 12, rng.randrange(40), rng.randrange(300))
        seals.append((i % 2, key, nonce, aad, plain))
    sealed = same([f"seal {a} {k} {n} {d} {p}" for a, k, n, d, p in seals])
    opened = same([f"open {a} {k} {n} {d} {s}" for (a, k, n, d, _), s in zip(seals, sealed)])
    assert [x.replace("ok", "-") for x in opened] == [p for *_, p in seals]
    wrong = same([f"open {a} {k} {n} {d} {s[:-1]}{int(s[-1], 16) ^ 1:x}"
                  for (a, k, n, d, _), s in zip(seals, sealed)])
    assert set(wrong) == {"error denied"}


def test_x25519_of_any_bytes(rng):
    points = [rng.randbytes(32).hex() for _ in range(300)]
    # Not canonical, of the twist, and next to the prime.
    points += [((2**255 - 19 + i) % 2**256).to_bytes(32, "little").hex() for i in range(-3, 40)]
    points += [i.to_bytes(32, "little").hex() for i in range(40)]
    answers = same([f"x25519 {rng.randbytes(32).hex()} {p}" for p in points])
    assert "error denied" in answers
    same([f"x25519pub {rng.randbytes(32).hex()}" for _ in range(300)])


def test_ed25519_signatures(rng):
    made = [hexes(rng, 32, rng.randrange(1, 200)) for _ in range(300)]
    publics = same([f"edpub {k}" for k, _ in made])
    signatures = same([f"edsign {k} {m}" for k, m in made])
    assert set(same([f"edverify {p} {m} {s}" for (_, m), p, s in
                     zip(made, publics, signatures)])) == {"ok"}


@pytest.mark.skipif(not shutil.which("valgrind"), reason="no valgrind")
@pytest.mark.skipif("mbedtls-glibc" not in VARIANTS, reason="mbedtls-glibc is not built")
def test_our_own_curve_takes_no_branch_on_a_private_key():
    done = subprocess.run(["valgrind", "-q", "--error-exitcode=9",
                           tls_run.prog("mbedtls-glibc", "constant_time")],
                          capture_output=True, text=True, timeout=120)
    if done.returncode == 3:
        pytest.skip("built without valgrind's header")
    assert done.returncode == 0, done.stderr


def odd_point(rng, good):
    """Encodings that tell implementations apart."""
    y = bytearray.fromhex(rng.choice(SMALL_Y + [good] * 3 + [rng.randbytes(32).hex()] * 3))
    if rng.random() < 0.3:
        y[31] ^= 0x80
    if rng.random() < 0.1:
        y = bytearray((2**255 - 19 + rng.randrange(19)).to_bytes(32, "little"))
    return bytes(y).hex()


def test_ed25519_refusals_agree(rng):
    key, message = hexes(rng, 32, 10)
    public, = same([f"edpub {key}"])
    good, = same([f"edsign {key} {message}"])
    lines = []
    for _ in range(3000):
        s = rng.choice([0, 1, ORDER - 1, ORDER, ORDER + 1, 2**252, 2**253 - 1, 2**256 - 1,
                        rng.randrange(ORDER), int.from_bytes(bytes.fromhex(good[64:]), "little")])
        lines.append(f"edverify {odd_point(rng, public)} {message} "
                     f"{odd_point(rng, good[:64])}{s.to_bytes(32, 'little').hex()}")
    assert set(same(lines)) <= {"ok", "error denied"}


@pytest.mark.parametrize("maker", VARIANTS)
def test_signatures_of_one_verify_on_all(rng, maker):
    names = ["rsa2048.pkcs1.pem", "rsa3072.pem", "p256.sec1.pem", "p384.pem"]
    calls = [(KEYS / name, alg, hexes(rng, 50)[0])
             for name, alg, _ in itertools.product(names, (2, 3, 4), range(5))]
    signatures = run(maker, [f"sign {k} {a} {m}" for k, a, m in calls])
    assert set(same([f"verify {k} {a} {m} {s}" for (k, a, m), s in
                     zip(calls, signatures)])) == {"ok"}


def der(tag, content, long_form=False):
    length = bytes([0x81, len(content)]) if long_form else bytes([len(content)])
    return bytes([tag]) + length + content


def test_ecdsa_signatures_have_one_spelling():
    """BER in its wealth around a good r and s, of which DER is the one that counts."""
    key = KEYS / "p256.sec1.pem"
    good = bytes.fromhex(run(VARIANTS[0], [f"sign {key} 2 616263"])[0])
    r = good[4:4 + good[3]]
    s = good[4 + good[3] + 2:]
    order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
    plus = (int.from_bytes(s, "big") + order).to_bytes(33, "big")
    assert der(0x30, der(2, r) + der(2, s)) == good
    spellings = [good + b"\0", good[:-1], der(0x30, der(2, r) + der(2, s), True),
                 der(0x30, der(2, r, True) + der(2, s)), der(0x30, der(2, b"\0" + r) + der(2, s)),
                 der(0x30, der(2, r) + der(2, b"\0\0" + s)), der(0x30, der(2, r) + der(2, plus)),
                 der(0x30, der(2, r) + der(2, s) + der(2, s)), der(0x31, der(2, r) + der(2, s)),
                 der(0x30, der(2, r)), der(0x30, der(2, b"") + der(2, s)),
                 der(0x30, der(2, b"\0") + der(2, s)), der(0x30, der(2, r) + der(2, b"\x80" + s))]
    assert same([f"verify {key} 2 616263 {good.hex()}"]) == ["ok"]
    assert set(same([f"verify {key} 2 616263 {x.hex()}" for x in spellings])) == {"error denied"}


@pytest.mark.parametrize("maker", VARIANTS)
def test_oaep_of_one_opens_on_all(rng, maker):
    calls = [(KEYS / name, *hexes(rng, rng.randrange(30), rng.randrange(1, 190)))
             for name, _ in itertools.product(["rsa2048.pkcs8.pem", "rsa3072.pem"], range(20))]
    sealed = run(maker, [f"encrypt {k} {label} {m}" for k, label, m in calls])
    assert same([f"decrypt {k} {label} {s}" for (k, label, _), s in
                 zip(calls, sealed)]) == [m for *_, m in calls]
    same([f"decrypt {k} 00{label.strip('-')} {s}" for (k, label, _), s in zip(calls, sealed)])


def test_keys_are_accepted_and_written_alike():
    same([f"{command} {path}" for command in ("spki", "pubspki")
          for path in sorted(KEYS.glob("*.pem"))])


@pytest.mark.parametrize("maker", VARIANTS)
def test_certificates_of_one_verify_on_all(tmp_path, maker):
    folder = tls_run.make_certs(maker, tmp_path / "certs")
    lines = [f"issued {folder}/{leaf}.pem {folder}/{ca}.pem"
             for leaf in ("ec", "rsa", "client", "alien") for ca in ("ca", "other-ca", "ec")]
    assert same(lines).count("ok") == 4
