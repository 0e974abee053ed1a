#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes helm and kustomize from their Go modules (go.mod beside this file), once for what that
# file says, and keeps them in the user's cache. The first time takes some minutes and says so.
# promtool comes from Debian's package of Prometheus, unpacked into the cache and not installed,
# so that no service starts. Prints the folder that holds them.
set -eu
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd)
hash=$(cat "$here/go.mod" "$here/go.sum" | sha256sum | cut -c1-16)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/ampoule/manifests-$hash
say() { printf 'manifests: %s\n' "$*" >&2; }

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9

if [ ! -x "$folder/promtool" ]; then
	say 'fetching promtool'
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	(cd "$work" && apt-get -q -o APT::Sandbox::User=root download prometheus >/dev/null)
	dpkg-deb -x "$work"/prometheus_*.deb "$work/root"
	mv "$work/root/usr/bin/promtool" "$folder/promtool"
fi

# The Go of `make deps` where the machine's is missing or too old for the tests.
go=$here/../../build/deps/venv/bin/go
test -x "$go" || go=go
for package in sigs.k8s.io/kustomize/kustomize/v5 helm.sh/helm/v3/cmd/helm; do
	program=${package##*/}
	test "$program" != v5 || program=kustomize
	test ! -x "$folder/$program" || continue
	begin=$(date +%s)
	say "building $program (once; some minutes)"
	(cd "$here" && CGO_ENABLED=0 nice -n 10 "$go" build -p "${JOBS:-2}" -trimpath \
		-ldflags '-s -w' -o "$folder/.$program" "$package")
	mv "$folder/.$program" "$folder/$program"
	say "$program: $(($(date +%s) - begin)) s"
done
echo "$folder"
