#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Real pods of a real kubelet, with the image of `make image`, in a room of its own (room.sh):
# one pytest run, with --bench the measurements, with --demo a cluster that stays until it is
# told to end, with --run another command. Logs of everything stay in build/e2e/ when something
# fails. usage: run.sh [PYTEST-ARGUMENT…] | --bench [N] | --demo | --run FOLDER COMMAND…
set -eu
cd "$(dirname "$0")/../.."
work=$PWD/build/e2e
case ${1:-} in
--demo)
	work=$PWD/build/demo-kube
	set -- python3 test/e2e/demo.py
	;;
--bench)
	shift
	set -- python3 test/e2e/bench.py "$@"
	;;
--run)
	work=$2
	shift 2
	;;
*) set -- pytest -q -s --no-header -p no:cacheprovider --timeout 500 "$@" test/e2e ;;
esac
mkdir -p build
exec 9>"$work.lock"
flock -n 9 || { echo "e2e: another run uses $work" >&2; exit 1; }
test -d /usr/lib/postgresql || { echo "e2e: no PostgreSQL here: run 'make deps'" >&2; exit 1; }
sh test/kube/build.sh kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl node >/dev/null
rm -rf "$work"
AMPOULE_BIN=$PWD/build/static E2E_WORK=$work PYTHONDONTWRITEBYTECODE=1
PATH=$(cd build/deps/venv && pwd -P)/bin:$PATH
export AMPOULE_BIN E2E_WORK PYTHONDONTWRITEBYTECODE PATH
status=0
trap 'kill -TERM "$room"; wait "$room"; exit 130' INT TERM HUP
sh test/e2e/room.sh "$@" &
room=$!
wait "$room" || status=$?
if [ "$status" = 0 ]; then
	rm -rf "$work"
else
	echo "e2e: logs of the servers, the node and the pods: $work" >&2
fi
exit "$status"
