#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The static agent beside the real `bao agent`, in turns, against one real OpenBao (TLS, raft,
# PostgreSQL): about a quarter of an hour. Exit 1 when a target is missed.
# usage: agent.sh [--quick] [--bin FOLDER] [--output FILE.md] [PART…]
# parts: oneshot rest idle polling propagation twenty faults
set -eu
cd "$(dirname "$0")/../.."
PATH=$(cd build/deps/venv && pwd -P)/bin:$PATH
PYTHONDONTWRITEBYTECODE=1
export PATH PYTHONDONTWRITEBYTECODE
exec timeout -k 10 1200 python3 test/bench/agent_main.py "$@"
