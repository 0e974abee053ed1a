# SPDX-License-Identifier: Apache-2.0
"""Reads what hardening needs to know from a 64-bit little-endian ELF file.

Source: the generic ABI (elf(5)); the property notes of the x86-64 psABI.
"""
import pathlib
import struct

ET_EXEC, ET_DYN = 2, 3
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
PT_GNU_STACK, PT_GNU_RELRO = 0x6474E551, 0x6474E552
PF_X, PF_W = 1, 2
SHT_SYMTAB, SHT_NOTE, SHT_DYNSYM = 2, 7, 11
DT_NEEDED, DT_PLTGOT, DT_RPATH, DT_TEXTREL, DT_BIND_NOW, DT_RUNPATH = 1, 3, 15, 22, 24, 29
DT_FLAGS, DT_FLAGS_1 = 30, 0x6FFFFFFB
DF_TEXTREL, DF_BIND_NOW, DF_1_NOW, DF_1_PIE = 4, 8, 1, 0x08000000
NT_GNU_PROPERTY_TYPE_0, FEATURE_1_AND = 5, 0xC0000002
MACHINES = {62: "amd64", 183: "arm64"}


class Elf:
    def __init__(self, path):
        self.data = data = pathlib.Path(path).read_bytes()
        assert data[:6] == b"\x7fELF\x02\x01", f"{path} is no 64-bit little-endian ELF"
        self.type, machine = struct.unpack_from("<HH", data, 16)
        self.machine = MACHINES[machine]
        ph, sh = struct.unpack_from("<QQ", data, 32)
        ph_size, ph_n, sh_size, sh_n, _ = struct.unpack_from("<5H", data, 54)
        # (type, flags, offset, address, physical, size in the file, size in memory, alignment)
        self.segments = [struct.unpack_from("<IIQQQQQQ", data, ph + i * ph_size)
                         for i in range(ph_n)]
        # (name, type, flags, address, offset, size, link, info, alignment, entry size)
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", data, sh + i * sh_size)
                         for i in range(sh_n)]
        self.dynamic = self._dynamic()

    def segments_of(self, kind):
        return [s for s in self.segments if s[0] == kind]

    def _dynamic(self):
        found = {}
        for _, _, offset, _, _, size, _, _ in self.segments_of(PT_DYNAMIC):
            for at in range(offset, offset + size, 16):
                tag, value = struct.unpack_from("<QQ", self.data, at)
                found.setdefault(tag, value)
        return found

    def symbols(self, kind):
        """{name: (address, section index)} of .symtab or .dynsym."""
        found = {}
        for section in self.sections:
            if section[1] != kind:
                continue
            strings = self.sections[section[6]]
            for at in range(section[4], section[4] + section[5], 24):
                name, _, _, index, value, _ = struct.unpack_from("<IBBHQQ", self.data, at)
                begin = strings[4] + name
                found[self.data[begin:self.data.index(0, begin)].decode()] = (value, index)
        return found

    def at(self, address, size):
        """The bytes at an address."""
        for kind, _, offset, base, _, length, _, _ in self.segments:
            if kind == PT_LOAD and base <= address < base + length:
                return self.data[offset + address - base:][:size]
        raise KeyError(address)

    def code(self):
        """The bytes of the executable segments."""
        return b"".join(self.data[s[2]:s[2] + s[5]] for s in self.segments_of(PT_LOAD)
                        if s[1] & PF_X)

    def features(self):
        """The bits of the property FEATURE_1_AND: 1 indirect branch tracking, 2 shadow stack."""
        bits = 0
        for section in self.sections:
            at, end = section[4], section[4] + section[5]
            while section[1] == SHT_NOTE and at + 16 <= end:
                name, size, kind = struct.unpack_from("<III", self.data, at)
                inner = at + 12 + (name + 3) // 4 * 4
                stop = inner + size
                while kind == NT_GNU_PROPERTY_TYPE_0 and inner + 8 <= stop:
                    what, length = struct.unpack_from("<II", self.data, inner)
                    if what == FEATURE_1_AND:
                        bits |= struct.unpack_from("<I", self.data, inner + 8)[0]
                    inner += 8 + (length + 7) // 8 * 8
                at = (stop + 7) // 8 * 8
        return bits


def faults(elf, static):
    """What a release executable must not be."""
    found = []
    flags, flags_1 = elf.dynamic.get(DT_FLAGS, 0), elf.dynamic.get(DT_FLAGS_1, 0)
    if elf.type != ET_DYN or not flags_1 & DF_1_PIE:
        found.append("not position-independent")
    if static and (elf.segments_of(PT_INTERP) or DT_NEEDED in elf.dynamic):
        found.append("not static")
    relro = elf.segments_of(PT_GNU_RELRO)
    if not relro:
        found.append("no RELRO")
    if not (DT_BIND_NOW in elf.dynamic or flags & DF_BIND_NOW or flags_1 & DF_1_NOW):
        found.append("relocations are not bound at the start")
    table = elf.dynamic.get(DT_PLTGOT)
    if relro and table and not relro[0][3] <= table < relro[0][3] + relro[0][6]:
        found.append("the table of addresses stays writable")
    stack = elf.segments_of(PT_GNU_STACK)
    if not stack or stack[0][1] & PF_X:
        found.append("executable stack")
    if any(s[1] & PF_X and s[1] & PF_W for s in elf.segments_of(PT_LOAD)):
        found.append("a segment is writable and executable")
    if DT_TEXTREL in elf.dynamic or flags & DF_TEXTREL:
        found.append("relocations in the code")
    if DT_RPATH in elf.dynamic or DT_RUNPATH in elf.dynamic:
        found.append("a path for libraries is built in")
    return found
