# SPDX-License-Identifier: Apache-2.0
"""What the tests of manifests/ share: helm, kustomize, and a real kube-apiserver."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE.parent / "kube"))
sys.path.insert(0, str(HERE))

import kube as kubernetes  # noqa: E402
import rendered  # noqa: E402


@pytest.fixture(scope="session")
def tools():
    """helm and kustomize."""
    done = subprocess.run(["sh", str(HERE / "build.sh")], stdout=subprocess.PIPE, text=True,
                          check=True)
    return rendered.Tools(pathlib.Path(done.stdout.strip()))


@pytest.fixture(scope="session")
def kube():
    """An API server with the namespaces that the manifests name."""
    folder = tempfile.mkdtemp(prefix="ampoule-")
    try:
        with kubernetes.Kube(folder) as server:
            server.namespace("shop")
            server.namespace("ampoule-system")
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)
