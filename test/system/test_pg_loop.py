# SPDX-License-Identifier: Apache-2.0
"""The short form of pg_loop.py, which `make test` also runs for ten minutes."""
import pytest

import pg_loop
import postgres

pytestmark = pytest.mark.skipif(not postgres.binaries(), reason="no PostgreSQL on this machine")


def test_no_login_fails_across_renewals_rotations_a_restart_and_outages(tmp_path_factory):
    loop, text = pg_loop.run(tmp_path_factory.mktemp("l"), 45, ttl=24, outage=4, shares=(0.3,))
    assert not loop.failed, text
    assert len(loop.users[1]) >= 2, text  # it was replaced
    assert loop.logins > 100 and loop.agent.events("store answers again"), text
