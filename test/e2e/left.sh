#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Nothing is left of a cluster whose runner ended at a random moment, by kill -9 and by Ctrl-C:
# no process, mount, address, cgroup or network namespace of its room; and no system setting is
# another one. usage: left.sh [SECONDS…]   (moments after the start; as root)
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
work=$PWD/build/left
PATH=$(cd build/deps/venv && pwd -P)/bin:$PATH
export PATH PYTHONDONTWRITEBYTECODE=1 E2E_WORK="$work/world"
test $# -gt 0 || set -- "$(awk 'BEGIN { srand(); print 2 + rand() * 6 }')"
rm -rf "$work"
mkdir -p "$work"
cat >"$work/start.py" <<'PYTHON'
import os, sys, time
sys.path[:0] = ["test/system", "test/kube", "test/e2e"]
import cluster
with cluster.Cluster(os.environ["E2E_WORK"] + "/kube"):
    time.sleep(600)
PYTHON

settings() {
	for name in vm/overcommit_memory kernel/panic kernel/panic_on_oops \
		kernel/keys/root_maxkeys kernel/keys/root_maxbytes net/ipv4/ip_forward; do
		echo "$name $(cat "/proc/sys/$name")"
	done
}

# Processes in the room's namespaces.
inhabitants() {
	for link in /proc/[0-9]*/ns/pid /proc/[0-9]*/ns/net; do
		case $spaces in *" $(readlink "$link") "*) echo "$link" ;; esac
	done 2>/dev/null
}

# Each line is something that is left.
look() {
	inhabitants
	find /sys/fs/cgroup -name "ampoule-e2e-$room" -prune
	grep -E "/var/lib/kubelet|/run/containerd|/run/netns|$work" /proc/self/mounts || :
	ip -oneline address show to 10.88.8.0/21
	settings | diff "$work/settings" - || :
}

# ended SIGNAL SECONDS
ended() {
	settings >"$work/settings"
	setsid env --default-signal=INT sh test/e2e/room.sh python3 "$work/start.py" \
		>"$work/log" 2>&1 &
	room=$!
	sleep "$2"
	first=$(cat "$work/world/room")
	spaces=" $(readlink "/proc/$first/ns/pid") $(readlink "/proc/$first/ns/net") "
	many=$(inhabitants | sort -u | wc -l)
	test "$many" -gt 2 || { cat "$work/log" >&2; echo 'left: the cluster has not started' >&2; exit 1; }
	if [ "$1" = INT ]; then # as a terminal does it: to the whole group
		kill -INT "-$room"
	else
		kill -KILL "$room"
	fi
	wait "$room" 2>/dev/null || :
	for try in $(seq 40); do
		look >"$work/left"
		test -s "$work/left" || break
		sleep 0.25
	done
	if [ -s "$work/left" ]; then
		cat "$work/left" >&2
		echo "left: that, after SIG$1 at $2 s" >&2
		exit 1
	fi
	echo "left: nothing, after SIG$1 at $2 s with $((many / 2)) processes"
}

for moment; do
	ended KILL "$moment"
	ended INT "$moment"
done
rm -rf "$work"
