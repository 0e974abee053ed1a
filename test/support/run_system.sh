#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the pytest suites of test/system (or of $SUITE) on the executables of one folder.
# usage: [SUITE=test/kube] run_system.sh FOLDER [PYTEST-ARGUMENT…]
set -u
AMPOULE_BIN=$(cd "$1" && pwd) || exit 2
export AMPOULE_BIN
shift
venv=$(cd build/deps/venv && pwd -P) || exit 2
PATH=$venv/bin:$PATH
PYTHONDONTWRITEBYTECODE=1
export PATH PYTHONDONTWRITEBYTECODE
suite=${SUITE:-test/system}
test -n "$(find "$suite" -name 'test_*.py' 2>/dev/null | head -n 1)" || {
	echo "system: no tests yet"
	exit 0
}
exec "$venv/bin/pytest" -q -p no:cacheprovider --timeout 300 "$@" "$suite"
