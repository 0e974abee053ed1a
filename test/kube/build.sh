#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the programs of a real Kubernetes for the tests, once for a version, and keeps them in
# the user's cache: kube-apiserver and etcd (kube-controller-manager and kubelet when named).
# The first time takes some minutes and says so; afterwards it is done at once. Prints the
# folder that holds them.
#
# Kubernetes is built from its own Go module (go.mod beside this file); etcd comes from Debian's
# package, unpacked into the cache and not installed, so that no service starts.
# usage: build.sh [PROGRAM…]
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

if [ ! -x "$folder/etcd" ]; then
	found=$(command -v etcd || true)
	if [ -n "$found" ]; then
		ln -sfn "$found" "$folder/etcd"
	else
		say 'fetching etcd'
		work=$(mktemp -d)
		trap 'rm -rf "$work"' EXIT
		(cd "$work" && apt-get -q -o APT::Sandbox::User=root download etcd-server >/dev/null)
		dpkg-deb -x "$work"/etcd-server_*.deb "$work/root"
		mv "$work/root/usr/bin/etcd" "$folder/etcd"
	fi
fi

# The Go of `make deps` where the machine's is missing or too old for the tests.
go=$here/../../build/deps/venv/bin/go
test -x "$go" || go=go
name=k8s.io/component-base/version
for program in "${@:-kube-apiserver}"; do
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
