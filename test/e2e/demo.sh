#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The cluster of the tests, left running, with a sample application. usage: demo.sh up|down
set -eu
cd "$(dirname "$0")/../.."
work=build/demo-kube
running() { test -f $work.pid && grep -qs 'test/e2e/run.sh' "/proc/$(cat $work.pid)/cmdline"; }

case ${1:-} in
up)
	if running; then
		cat $work/next
		exit 0
	fi
	rm -rf $work
	setsid nohup sh test/e2e/run.sh --demo >$work.log 2>&1 </dev/null &
	echo $! >$work.pid
	echo 'starting etcd, kube-apiserver, containerd, kubelet, OpenBao, PostgreSQL, the webhook …'
	while ! test -f $work/next; do
		kill -0 "$(cat $work.pid)" 2>/dev/null || { tail -n 20 $work.log >&2; exit 1; }
		sleep 0.2
	done
	cat $work/next
	;;
down)
	running || { echo 'no demo is running'; exit 0; }
	pid=$(cat $work.pid)
	kill -TERM "$pid"
	while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
	rm -rf $work $work.pid $work.log $work.lock
	echo 'stopped; nothing of it is left on this machine'
	;;
*)
	echo 'usage: demo.sh up|down' >&2
	exit 2
	;;
esac
