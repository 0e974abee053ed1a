# SPDX-License-Identifier: Apache-2.0
"""The README's recipe: gitleaks with one more rule is silent about sealed files, and finds
private keys and plaintext Secrets."""
import json
import pathlib
import shutil
import subprocess

import pytest

from seal_run import Seal, built

RULES = pathlib.Path(__file__).parent.parent / "cases/seal/gitleaks.toml"
SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: db
data:
  password: aHVudGVyMmh1bnRlcjJodW50ZXIy
"""


@pytest.fixture(scope="session", name="gitleaks")
def _gitleaks():
    return built("gitleaks")


def scan(gitleaks, folder, report):
    subprocess.run([gitleaks, "dir", folder, "--no-banner", "-c", RULES, "-f", "json", "-r",
                    report], capture_output=True, check=False)
    return {(pathlib.Path(f["File"]).name, f["RuleID"]) for f in json.loads(report.read_text())}


def test_recipe(gitleaks, tmp_path):
    repo = tmp_path / "repo"
    repo.mkdir()
    seal = Seal(repo, key=tmp_path / "key.txt")
    writer = tmp_path / "writer.txt"
    seal.keygen(writer, "--signing")
    for path in ("db/password", "api/token", "mail/key", "aws/secret_access_key"):
        for value in ("AKIAIOSFODNN7EXAMPL2", "another"):
            seal.put(path, value, "--sign", writer)
    report = tmp_path / "report.json"
    assert scan(gitleaks, repo, report) == set()
    shutil.copy(seal.key, repo)
    shutil.copy(writer, repo)
    (repo / "secret.yaml").write_text(SECRET)
    found = scan(gitleaks, repo, report)
    assert {("key.txt", "age-secret-key"), ("writer.txt", "ampoule-writer-key"),
            ("secret.yaml", "kubernetes-secret-yaml")} <= found
