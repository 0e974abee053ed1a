#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command where a Kubernetes node may do as it likes: in process, mount and network
# namespaces of its own. The node's containers, mounts, addresses, routes and pod networks end
# with the first process of the room, however that ends (also by kill -9 of whoever has made
# the room), since the kernel takes them away with the namespaces; and the system settings that a
# kubelet changes for the whole machine are files of the room's own that lie over the real ones.
# What is left are empty cgroups: a broom, which outlives the room, removes them. Should it be
# killed too, the next run does.
#
# Inside, lo has also the addresses $NODE (10.88.8.1), where pods reach what runs on the node,
# and $API (10.96.0.1), that of the Service `kubernetes`. /run, /var/lib and /var/log are empty.
# usage: room.sh COMMAND…   (as root; CGROUP names the pods' cgroup for the command)
set -eu
LC_ALL=C
export LC_ALL
umask 022
NODE=10.88.8.1 API=10.96.0.1
export NODE API

fail() {
	printf 'e2e: %s\n' "$*" >&2
	exit 1
}

# Folders of the cgroup hierarchies, the unified one among them.
hierarchies() {
	if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
		echo /sys/fs/cgroup
	else
		awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/self/mounts
	fi
}

# Removes the cgroups of rooms that have ended. Their processes end with their namespace, the
# last ones a moment after its first.
sweep() {
	for try in 1 2 3 4 5 6 7 8 9 10; do
		left=
		for top in $(hierarchies); do
			for old in "$top"/ampoule-e2e-*; do
				test -d "$old" || continue
				test "${old##*-}" = "$1" || ! kill -0 "${old##*-}" 2>/dev/null || continue
				find "$old" -depth -type d -exec rmdir {} + 2>/dev/null || left=$try
			done
		done
		test -n "$left" || return 0
		sleep 0.3
	done
}

# cgroup v2: a folder has the controllers that the one above hands down. A kubelet refuses a
# cgroup without one of these that the top has (Kubernetes 1.33, cgroup_v2_manager_linux.go);
# hugetlb may be missing everywhere.
hand_down() {
	for name in cpu cpuset hugetlb memory pids; do
		for group in "$@"; do
			echo "+$name" >"$group/cgroup.subtree_control" 2>/dev/null || :
		done
		grep -qw "$name" "$2/cgroup.subtree_control" && continue
		test "$name" = hugetlb && ! grep -qw hugetlb "$1/cgroup.controllers" ||
			fail "cgroup v2: $1 does not hand the controller '$name' down, which a kubelet needs;" \
				"run this on the machine itself, or in a container with a cgroup" \
				"namespace whose own processes are not in its top cgroup"
	done
}

inside() {
	for place in /run /var/lib /var/log; do
		mount -t tmpfs -o mode=755 room "$place"
	done
	mkdir -p /run/lock /run/settings
	for name in vm/overcommit_memory kernel/panic kernel/panic_on_oops \
		kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
		own=/run/settings/$(echo "$name" | tr / .)
		cat "/proc/sys/$name" >"$own"
		mount --bind "$own" "/proc/sys/$name"
	done
	ip link set lo up
	ip address add "$NODE/32" dev lo
	ip address add "$API/32" dev lo
	"$@" & # this shell is process 1, which has to take up what others leave behind
	wait "$!" && exit 0 || exit $?
}

case ${1:-} in
--inside)
	shift
	inside "$@"
	;;
--broom) # standard input ends with the last one who holds it: the room
	cat >/dev/null
	sweep "$2"
	exit 0
	;;
esac

test "$(id -u)" = 0 || fail 'needs root: namespaces, mounts and containers'
for tool in unshare setpriv setsid ip mount; do
	command -v "$tool" >/dev/null || fail "no $tool here: run 'make deps'"
done
test -e /dev/kmsg || fail 'no /dev/kmsg here, which a kubelet reads; in a container: run it privileged'
if [ "${1:-}" != --held ]; then # the room ends with who has asked for it
	exec setpriv --pdeathsig KILL sh "$0" --held "$@"
fi
shift
unshare --net --mount --pid --fork --mount-proc true ||
	fail 'this machine allows no namespaces (unshare); in a container: run it privileged'
sweep 0
CGROUP=ampoule-e2e-$$
export CGROUP
pipe=$(mktemp -u)
mkfifo -m 600 "$pipe"
setsid sh "$0" --broom $$ <"$pipe" >/dev/null 2>&1 &
broom=$!
exec 8>"$pipe"
rm "$pipe"
for top in $(hierarchies); do
	mkdir -p "$top/$CGROUP" || fail "cannot make a cgroup in $top; a kubelet needs them writable"
	test ! -f /sys/fs/cgroup/cgroup.controllers || hand_down "$top" "$top/$CGROUP"
	for name in cpuset.cpus cpuset.mems; do
		test ! -f "$top/$CGROUP/$name" || cat "$top/$name" >"$top/$CGROUP/$name" 2>/dev/null || :
	done
done
setpriv --pdeathsig KILL unshare --net --mount --pid --fork --kill-child --mount-proc \
	--propagation private sh "$0" --inside "$@" &
child=$!
if [ -n "${E2E_WORK:-}" ]; then # its first process, for nsenter
	mkdir -p "$E2E_WORK"
	first=
	while [ -z "$first" ] && kill -0 "$child" 2>/dev/null; do
		read -r first _ <"/proc/$child/task/$child/children" 2>/dev/null || :
	done
	echo "$first" >"$E2E_WORK/room"
fi
trap 'kill -KILL "$child" 2>/dev/null' INT TERM HUP # and with it the room
wait "$child" && status=0 || status=$?
trap - INT TERM HUP
wait "$child" 2>/dev/null || :
exec 8>&-
wait "$broom" || :
exit "$status"
