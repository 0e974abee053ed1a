# SPDX-License-Identifier: Apache-2.0
"""What the tests against a real kube-apiserver share: one server for all of them."""
import pathlib
import shutil
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE))

import bao  # noqa: E402
import kube as kubernetes  # noqa: E402


@pytest.fixture(scope="session")
def session_folder():
    path = tempfile.mkdtemp(prefix="ampoule-")
    yield pathlib.Path(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def authority(session_folder):
    return bao.Authority(session_folder / "ca")


@pytest.fixture(scope="session")
def kube(session_folder):
    with kubernetes.Kube(session_folder / "kube") as server:
        yield server
