# SPDX-License-Identifier: Apache-2.0
"""Our policies as ValidatingAdmissionPolicy in a real kube-apiserver, without any webhook: the cases
of our own engine, and the shipped files as they are. Where the two engines differ, it says why."""
import pathlib

import pytest

import elsewhere
from agent_run import BIN, TOOL, run

pytestmark = pytest.mark.skipif(pathlib.Path(BIN).name != "bin",
                                reason="the release's executables make the same objects")

# What the API server itself does not store, whatever a policy says.
NOT_TAKEN = {
    "around/agent_changed_privileged", "around/folder_dotdot", "around/host_path_dotdot", "around/mirror_pod",
    "require/mirror_pod_of_a_node", "update/deleted_is_good",
    "update/resized_is_good", "around/resize_is_good", "around/annotation_in_other_letters",
    "around/secret_by_a_csi_volume", "around/owner_and_labels_on_update",
    "around/proc_mount_of_the_agent",
}

# Variables from files, which this API server does not know yet (Kubernetes 1.34).
NOT_TAKEN |= {
    "around/env_file_of_another_folder", "around/env_file_of_its_own_folder_is_good",
    "around/env_file_of_the_home_by_update", "around/env_file_of_the_secrets",
    "forbid/env_file_key_ref", "forbid/env_file_key_ref_by_its_mount",
    "forbid/env_file_key_ref_is_good",
}

# Softer than ours, though the rule can be expressed.
SOFTER = {
    "around/image_volume": "this API server knows no volumes that are images",
    "around/volume_of_an_image": "this API server knows no volumes that are images",
    "match/namespace_labels_unknown": "the API server knows the labels of every namespace",
}


@pytest.fixture(scope="module")
def world(kube, session_folder):
    folder = session_folder / "elsewhere"
    folder.mkdir()
    made = elsewhere.World(kube, folder)
    yield made
    made.close()


def facts():
    """Of the column of this form: rule → yes, in part, no."""
    rows = [line.strip("| ").split(" | ") for line in
            run(TOOL, "policy", "export", "--table").stdout.splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): row[1].split(" (")[0] for row in rows}


def test_the_cases_of_our_engine_in_the_api_server(world):
    """A rule that can be expressed decides as ours does, and nothing is refused that ours allows."""
    can, wrong, same, not_taken, softer = facts(), [], 0, set(), []
    for case in world.asked:
        theirs, answer = world.ask(case)
        ours = {"exempt": "allow"}.get(case.decision, case.decision)
        if theirs is None:
            not_taken.add(case.name)
        elif theirs == ours:
            same += 1
        elif elsewhere.HARDNESS.index(theirs) > elsewhere.HARDNESS.index(ours):
            wrong.append((case.name, ours, theirs, answer.warnings))
        elif can.get(case.rule, "no") == "yes" and case.name not in SOFTER:
            wrong.append((case.name, ours, theirs, case.rule))
        else:
            softer.append(case.name)
    print(f"{len(world.cases)} cases: {same} equal, {len(softer)} softer, {len(not_taken)} not taken")
    assert not wrong and not_taken == NOT_TAKEN, (wrong, not_taken)
    assert set(SOFTER) <= set(softer)
