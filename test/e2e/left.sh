#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Nothing is left of a cluster whose runner ended while it started, at a random moment, or when
# pods ran in it, by kill -9 and by Ctrl-C: no process, mount, address, cgroup or network
# namespace of its room; and no system setting is another one.
# usage: left.sh [SECONDS|pods…]   (moments after the room is there; as root)
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
work=$PWD/build/left
PATH=$(cd build/deps/venv && pwd -P)/bin:$PATH
export PATH PYTHONDONTWRITEBYTECODE=1 E2E_WORK="$work/world"
test $# -gt 0 || set -- "$(awk 'BEGIN { srand(); print 2 + rand() * 6 }')" pods
rm -rf "$work"
mkdir -p "$work"
cat >"$work/start.py" <<'PYTHON'
import os, pathlib, sys, time
sys.path[:0] = ["test/system", "test/kube", "test/e2e"]
import cluster, images
folder = pathlib.Path(os.environ["E2E_WORK"])

def pod(name):
    return {"metadata": {"name": name}, "spec": {
        "volumes": [{"name": "memory", "emptyDir": {"medium": "Memory"}}],
        "containers": [{"name": "app", "image": "localhost/app:test", "args": ["/memory/none"],
                        "resources": {"limits": {"memory": "32Mi"}},
                        "volumeMounts": [{"name": "memory", "mountPath": "/memory"}]}]}}

def runs(path):
    return kube.get(path).document.get("status", {}).get("phase") == "Running"

with cluster.Cluster(folder / "kube") as kube:
    if sys.argv[1:] == ["pods"]:
        for archive in images.make(folder, kube.bin)[:2]:
            kube.load(archive)
        for name in "ab":
            cluster.until("a pod is taken", lambda: kube.create_pod("default", pod(name)).status in (201, 409))
            cluster.until("it runs", lambda: runs(f"/api/v1/namespaces/default/pods/{name}"))
        (folder / "pods").write_text("run")
    time.sleep(600)
PYTHON

settings() {
	for name in vm/overcommit_memory kernel/panic kernel/panic_on_oops \
		kernel/keys/root_maxkeys kernel/keys/root_maxbytes net/ipv4/ip_forward; do
		echo "$name $(cat "/proc/sys/$name")"
	done
}

parent() { awk '/^PPid/{ print $2 }' "/proc/$1/status"; }

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

# Processes in pods: they have namespaces of their own.
in_pods() {
	find /sys/fs/cgroup -path "*/ampoule-e2e-$room/*" -name cgroup.procs -exec cat {} + | sort -u
}

failed() {
	cat "$work/log" >&2
	echo "left: $1" >&2
	kill -KILL "$runner" 2>/dev/null || :
	exit 1
}

# appears FILE: awaits it in the cluster's folder
appears() {
	for try in $(seq 480); do
		test ! -s "$work/world/$1" || return 0
		kill -0 "$runner" 2>/dev/null || failed 'the cluster has ended'
		sleep 0.25
	done
	failed "no $1 after two minutes"
}

# ended SIGNAL SECONDS|pods
ended() {
	settings >"$work/settings"
	rm -rf "$work/world"
	test "$2" = pods && when='the running pods' || when="$2 s"
	setsid env --default-signal=INT sh test/e2e/run.sh --run "$work/world" \
		python3 "$work/start.py" "$2" >"$work/log" 2>&1 &
	runner=$!
	appears room
	test "$2" != pods && sleep "$2" || appears pods
	first=$(cat "$work/world/room")
	room=$(parent "$(parent "$first")")
	spaces=" $(readlink "/proc/$first/ns/pid") $(readlink "/proc/$first/ns/net") "
	many=$(inhabitants | sort -u | wc -l)
	test "$many" -gt 2 && find /sys/fs/cgroup -name "ampoule-e2e-$room" | grep -q . || failed 'the cluster has not started'
	podded=$(in_pods | wc -l)
	test "$2" != pods || test "$podded" -ge 4 || failed 'the pods have no processes'
	if [ "$1" = INT ]; then # as a terminal does it: to the whole group
		kill -INT "-$runner"
	else
		kill -KILL "$runner"
	fi
	wait "$runner" 2>/dev/null || :
	for try in $(seq 160); do
		look >"$work/left"
		test -s "$work/left" || break
		sleep 0.25
	done
	if [ -s "$work/left" ]; then
		cat "$work/left" >&2
		echo "left: that, after SIG$1 at $when" >&2
		exit 1
	fi
	echo "left: nothing, after SIG$1 at $when with $((many / 2)) processes and $podded in pods"
}

for moment; do
	ended KILL "$moment"
	ended INT "$moment"
done
rm -rf "$work"
