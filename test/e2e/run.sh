#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Real pods of a real kubelet, with the image of `make image`: one pytest run in a room of its
# own (room.sh). Logs of everything stay in build/e2e/ when a step fails.
# usage: run.sh [PYTEST-ARGUMENT…]
set -eu
cd "$(dirname "$0")/../.."
work=$PWD/build/e2e
mkdir -p build
exec 9>build/e2e.lock
flock -n 9 || { echo "e2e: another run uses $work" >&2; exit 1; }
test -d /usr/lib/postgresql || { echo "e2e: no PostgreSQL here: run 'make deps'" >&2; exit 1; }
sh test/kube/build.sh kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl node >/dev/null
rm -rf "$work"
AMPOULE_BIN=$PWD/build/static E2E_WORK=$work PYTHONDONTWRITEBYTECODE=1
PATH=$(cd build/deps/venv && pwd -P)/bin:$PATH
export AMPOULE_BIN E2E_WORK PYTHONDONTWRITEBYTECODE PATH
status=0
sh test/e2e/room.sh pytest -q -s --no-header -p no:cacheprovider --timeout 500 "$@" test/e2e || status=$?
if [ "$status" = 0 ]; then
	rm -rf "$work"
else
	echo "e2e: logs of the servers, the node and the pods: build/e2e/" >&2
fi
exit "$status"
