#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The long form of the client that logs in to PostgreSQL with what the agent renders.
# usage: pg_loop.sh FOLDER [SECONDS]
set -eu
AMPOULE_BIN=$(cd "$1" && pwd)
PATH=$(cd build/deps/venv && pwd -P)/bin:$PATH
PYTHONDONTWRITEBYTECODE=1
export AMPOULE_BIN PATH PYTHONDONTWRITEBYTECODE
exec python3 test/system/pg_loop.py "${2:-600}"
