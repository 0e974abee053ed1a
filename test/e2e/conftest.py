# SPDX-License-Identifier: Apache-2.0
"""One cluster for all steps. run.sh makes the room in which this runs."""
import os
import pathlib
import shutil
import sys

import pytest

HERE = pathlib.Path(__file__).parent
for folder in (HERE.parent / "system", HERE.parent / "kube", HERE):
    sys.path.insert(0, str(folder))

import world as worlds  # noqa: E402


@pytest.fixture(scope="session")
def world():
    assert os.environ.get("CGROUP"), "start it by `make e2e`, which makes a room for the cluster"
    folder = pathlib.Path(os.environ["E2E_WORK"])
    with worlds.World(folder) as made:
        yield made
