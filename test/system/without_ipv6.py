# SPDX-License-Identifier: Apache-2.0
"""Executes the program of its arguments on a kernel without IPv6, as it seems to it:
socket(AF_INET6) fails as with ipv6.disable=1."""
import ctypes
import errno
import os
import socket
import sys

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2


class Filter(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte),
                ("k", ctypes.c_uint)]


class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.POINTER(Filter))]


number = {"x86_64": 41, "aarch64": 198}[os.uname().machine]
code = (Filter * 6)((0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, 16),
                    (0x15, 0, 1, socket.AF_INET6), (0x06, 0, 0, 0x50000 | errno.EAFNOSUPPORT),
                    (0x06, 0, 0, 0x7FFF0000))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
assert libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(Program(6, code)), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
