#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the programs of a real Kubernetes for the tests, once for a version, and keeps them in
# the user's cache: etcd, and those that are named. The first time takes some minutes and says
# so; afterwards it is done at once. Prints the folder that holds them.
#
# Kubernetes is built from its own Go module (go.mod beside this file). etcd, and what `node`
# stands for (containerd, runc, plugins of the pod network, busybox), come from Debian's
# packages, unpacked into the cache and not installed, so that no service starts.
# usage: build.sh [kube-apiserver|kube-controller-manager|kube-scheduler|kubelet|kubectl|node…]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/tools.sh"
version=$(sed -n 's/.*k8s.io\/kubernetes \(v[0-9.]*\)$/\1/p' "$here/go.mod" | head -n 1)
tools kubernetes "kubernetes-$version"

if [ ! -x "$folder/etcd" ] && command -v etcd >/dev/null; then
	alone
	ln -sfn "$(command -v etcd)" "$folder/etcd"
fi
from_debian etcd-server usr/bin/etcd

programs=
for program in "${@:-kube-apiserver}"; do
	if [ "$program" = node ]; then
		from_debian containerd usr/bin/containerd usr/bin/containerd-shim-runc-v2 usr/bin/ctr
		from_debian runc usr/sbin/runc
		from_debian containernetworking-plugins usr/lib/cni/ptp usr/lib/cni/host-local \
			usr/lib/cni/loopback
		from_debian busybox-static bin/busybox
	else
		programs="$programs $program=./$program"
	fi
done
name=k8s.io/component-base/version numbers=${version#v}
minor=${numbers#*.}
# shellcheck disable=SC2086 # a list
from_go "-X $name.gitVersion=$version -X $name.gitMajor=${numbers%%.*} -X $name.gitMinor=${minor%%.*}" \
	$programs
echo "$folder"
