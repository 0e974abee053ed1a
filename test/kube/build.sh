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
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/.*k8s.io\/kubernetes \(v[0-9.]*\)$/\1/p' "$here/go.mod" | head -n 1)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/ampoule/kubernetes-$version
say() { printf 'kubernetes: %s\n' "$*" >&2; }

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9

# fetch PACKAGE FILE…: out of the package, beside the others
fetch() {
	package=$1
	shift
	for path in "$@"; do
		test -x "$folder/${path##*/}" || set -- fetching "$@"
	done
	test "$1" = fetching || return 0
	say "fetching $package"
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	download() { (cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$package" >/dev/null); }
	download || { apt-get -q update >/dev/null && download; }
	dpkg-deb -x "$work/${package}"_*.deb "$work/root"
	for path in "$@"; do
		test "$path" = fetching || mv "$work/root/$path" "$folder/${path##*/}"
	done
	rm -rf "$work"
}

if [ ! -x "$folder/etcd" ] && command -v etcd >/dev/null; then
	ln -sfn "$(command -v etcd)" "$folder/etcd"
fi
fetch etcd-server usr/bin/etcd

# The Go of `make deps` where the machine's is missing or too old for the tests.
go=$here/../../build/deps/venv/bin/go
test -x "$go" || go=go
name=k8s.io/component-base/version
for program in "${@:-kube-apiserver}"; do
	if [ "$program" = node ]; then
		fetch containerd usr/bin/containerd usr/bin/containerd-shim-runc-v2 usr/bin/ctr
		fetch runc usr/sbin/runc
		fetch containernetworking-plugins usr/lib/cni/ptp usr/lib/cni/host-local usr/lib/cni/loopback
		fetch busybox-static bin/busybox
		continue
	fi
	test ! -x "$folder/$program" || continue
	begin=$(date +%s)
	say "building $program $version (once; some minutes)"
	numbers=${version#v}
	minor=${numbers#*.}
	(cd "$here" && CGO_ENABLED=0 nice -n 10 "$go" build -p "${JOBS:-2}" -trimpath \
		-ldflags "-s -w -X $name.gitVersion=$version -X $name.gitMajor=${numbers%%.*} \
		-X $name.gitMinor=${minor%%.*}" -o "$folder/.$program" "./$program")
	mv "$folder/.$program" "$folder/$program"
	say "$program: $(($(date +%s) - begin)) s"
done
echo "$folder"
