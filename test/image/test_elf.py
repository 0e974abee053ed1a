# SPDX-License-Identifier: Apache-2.0
"""The executables' own words on how they are hardened."""
import pathlib
import subprocess

import pytest

import elf
from elf import Elf, faults

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
NAMES = ("ampoule-agent", "ampoule-webhook", "ampoule")
# Folder of what is shipped, and of the same with symbols. Those that were not built are left out.
STATIC = [(BUILD / shipped, BUILD / built / "bin") for shipped, built in
          (("static", "mbedtls-musl"), ("static-openssl", "openssl-musl"),
           ("static-arm64", "mbedtls-arm64")) if (BUILD / shipped).is_dir()]
# The load of the canary from the thread's block: mov or sub, %fs:0x28.
CANARY = (b"\x64\x48\x8b\x04\x25\x28\0\0\0", b"\x64\x48\x2b\x04\x25\x28\0\0\0",
          b"\x64\x48\x2b\x14\x25\x28\0\0\0", b"\x64\x48\x8b\x14\x25\x28\0\0\0")
ENDBR64 = b"\xf3\x0f\x1e\xfa"
IBT_AND_SHADOW_STACK = 3
CHECKED_LEAST = 5


def test_the_release_was_built():
    assert STATIC and STATIC[0][0].name == "static", "make static"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shipped, built", STATIC, ids=lambda p: p.name)
class TestStatic:
    def test_it_is_hardened(self, name, shipped, built):
        assert faults(Elf(shipped / name), static=True) == []

    def test_stacks_have_canaries(self, name, shipped, built):
        assert "__stack_chk_fail" in Elf(built / name).symbols(elf.SHT_SYMTAB)
        e = Elf(shipped / name)
        if e.machine == "amd64":
            code = e.code()
            assert sum(code.count(c) for c in CANARY) > 200

    def test_nothing_is_told_that_need_not_be(self, name, shipped, built):
        """No symbols, and no folder of the machine that built it."""
        e = Elf(shipped / name)
        assert not e.symbols(elf.SHT_SYMTAB)
        here = str(BUILD.parent).encode()
        assert here not in e.data
        assert str(pathlib.Path.home() / ".cache").encode() not in e.data


@pytest.mark.parametrize("name", NAMES)
class TestGlibc:
    def test_it_is_hardened(self, name):
        assert faults(Elf(BUILD / "bin" / name), static=False) == []

    def test_canaries_and_checked_functions(self, name):
        imported = {s.split("@")[0] for s in Elf(BUILD / "bin" / name).symbols(elf.SHT_DYNSYM)}
        assert "__stack_chk_fail" in imported
        assert len([s for s in imported if s.endswith("_chk")]) >= CHECKED_LEAST

    def test_calls_land_on_marks(self, name):
        e = Elf(BUILD / "bin" / name)
        if e.machine != "amd64":
            pytest.skip("endbr64 is x86-64's")
        assert e.at(e.symbols(elf.SHT_SYMTAB)["main"][0], 4) == ENDBR64


def test_every_object_is_marked_for_cet():
    """The programs themselves cannot be: Debian's start files are not."""
    folder = BUILD / "openssl-glibc/obj"
    objects = [o for layer in ("lib", "agent", "webhook", "stores", "templates", "cmd")
               for o in (folder / layer).rglob("*.o")]
    assert len(objects) > 100
    if Elf(objects[0]).machine == "amd64":
        assert [o for o in objects if Elf(o).features() & 3 != IBT_AND_SHADOW_STACK] == []


@pytest.mark.parametrize("flags, fault", [
    ("-static-pie -Wl,-z,now", None),
    ("-no-pie -static", "not position-independent"),
    ("-pie -fPIE", "not static"),
    ("-static-pie -Wl,-z,norelro,-z,now", "no RELRO"),
    ("-pie -fPIE -Wl,-z,lazy", "relocations are not bound at the start"),
    ("-static-pie -Wl,-z,execstack", "executable stack"),
    ("-nostdlib -static-pie -e main -Wl,-N", "a segment is writable and executable"),
    ("-pie -fPIE -Wl,-rpath,/x", "a path for libraries is built in")])
def test_a_weak_executable_is_found(flags, fault, tmp_path):
    (tmp_path / "x.c").write_text("int main(void) { return 0; }\n")
    subprocess.run(["gcc", "-fPIE", *flags.split(), "-o", "x", "x.c"], cwd=tmp_path, check=True,
                   stderr=subprocess.DEVNULL)
    found = faults(Elf(tmp_path / "x"), static=True)
    assert fault in found if fault else found == []


def test_marks_are_read(tmp_path):
    (tmp_path / "x.c").write_text("int f(void);\nint f(void) { return 1; }\n")
    for flag, bits in (("full", 3), ("branch", 1), ("return", 2), ("none", 0)):
        subprocess.run(["gcc", "-c", f"-fcf-protection={flag}", "-o", "x.o", "x.c"],
                       cwd=tmp_path, check=True)
        e = Elf(tmp_path / "x.o")
        if e.machine == "amd64":
            assert e.features() & 3 == bits
