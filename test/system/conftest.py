# SPDX-License-Identifier: Apache-2.0
"""What system tests share: a real OpenBao, started once a session, and the hostile stand-in."""
import pathlib
import shutil
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "fake"))
sys.path.insert(0, str(HERE))

import bao as bao_server  # noqa: E402
import vault  # noqa: E402


@pytest.fixture(scope="session")
def session_folder():
    """A short path, as a socket's name may have 107 bytes only."""
    path = tempfile.mkdtemp(prefix="ampoule-")
    yield pathlib.Path(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def authority(session_folder):
    return bao_server.Authority(session_folder / "ca")


@pytest.fixture(scope="session")
def issuer(session_folder):
    return bao_server.Issuer(session_folder)


@pytest.fixture(scope="session")
def shared_bao(session_folder, authority):
    with bao_server.Bao(session_folder / "bao", authority=authority) as server:
        server.kv2("kv")
        server.kv1("kv1")
        yield server


@pytest.fixture
def bao(shared_bao):
    """The session's server, running and unsealed. A test that stops or seals it may leave it
    so."""
    if shared_bao.process is None or shared_bao.process.poll() is not None:
        shared_bao.start()
    elif shared_bao.health() == 503:
        shared_bao.unseal()
    return shared_bao


@pytest.fixture
def fake():
    with vault.FakeVault() as server:
        yield server
