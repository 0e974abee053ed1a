# SPDX-License-Identifier: Apache-2.0
# Programs of others that the tests use, each made once and kept in the user's cache; sourced by
# the build.sh of the test folders, which say `here` (their own folder). An interrupt leaves
# nothing half made, and of two builders at a time the second finds the work done.
LC_ALL=C
export LC_ALL

# tools WORD FOLDER: where the programs lie, and what the messages begin with
tools() {
	said=$1 folder=${XDG_CACHE_HOME:-$HOME/.cache}/ampoule/$2 new=
	# The Go of `make deps` where the machine's is missing or too old for the tests.
	go=$here/../../build/deps/venv/bin/go
	test -x "$go" || go=go
}

# alone: from here on the only one that makes something in $folder, by way of $new
alone() {
	test -z "$new" || return 0
	mkdir -p "$folder" 2>/dev/null && test -w "$folder" || {
		say "cannot write to $folder, where built programs are kept; XDG_CACHE_HOME names another folder"
		exit 1
	}
	exec 9>"$folder/lock"
	flock 9
	new=$folder/new # on the same file system, so that a program appears whole
	rm -rf "$new"
	mkdir "$new"
	trap 'rm -rf "$new"' EXIT
	trap 'exit 130' INT TERM HUP
}
say() { printf '%s: %s\n' "$said" "$*" >&2; }

# lack FILE…|NAME=PACKAGE…: sets lacking to those whose programs are not there
lack() {
	lacking=
	for one in "$@"; do
		name=${one%%=*}
		test -x "$folder/${name##*/}" || lacking="$lacking $one"
	done
}

# lack_alone …: the same, alone where something is to be made
lack_alone() {
	lack "$@"
	test -n "$lacking" || return 0
	alone
	lack "$@" # another one may have made it meanwhile
}

# from_debian PACKAGE FILE…: takes them out of the package, which is not installed, so that no
# service starts
from_debian() {
	package=$1
	shift
	lack_alone "$@"
	test -n "$lacking" || return 0
	say "fetching $package"
	download() { (cd "$new" && apt-get -q -o APT::Sandbox::User=root download "$package" >&2); }
	download 2>/dev/null || {
		root=$(test "$(id -u)" = 0 || echo sudo -n)
		$root apt-get -q update >/dev/null || :
		download
	} || {
		say "no $package: the lines above tell why. apt's servers and its proxy stand in /etc/apt"
		exit 1
	}
	dpkg-deb -x "$new/$package"_*.deb "$new/root"
	for path in $lacking; do
		mv "$new/root/$path" "$folder/${path##*/}"
	done
	rm -rf "$new/root"
}

# from_go LDFLAGS NAME=PACKAGE…: builds what is missing of them, from the module beside the
# caller, or with a version (PACKAGE@VERSION, which must then stand alone) from its own
from_go() {
	flags="-s -w $1" packages='' names=''
	shift
	lack_alone "$@"
	test -n "$lacking" || return 0
	for one in $lacking; do
		names="$names ${one%%=*}" packages="$packages ${one#*=}"
	done
	begin=$(date +%s)
	say "building$names (once; some minutes)"
	case $packages in
	*@*) set -- install ;;
	*) set -- build -o "$new/" ;;
	esac
	# shellcheck disable=SC2086 # a list
	(cd "$here" && GOBIN=$new CGO_ENABLED=0 nice -n 10 "$go" "$@" -p "${JOBS:-2}" -trimpath \
		-buildvcs=false -ldflags "$flags" $packages) || {
		say "not built:$names; the lines above tell why. Go's module proxy is that of 'go env GOPROXY'"
		exit 1
	}
	for name in $names; do
		mv "$new/$name" "$folder/$name"
	done
	say "built in $(($(date +%s) - begin)) s:$names"
}
