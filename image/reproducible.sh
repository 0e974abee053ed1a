#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the image twice and compares the bytes. The second time everything that must not
# matter is another: folder, file times, umask, time zone, locale, user's name, order of the
# build, and the third-party libraries are built anew in a cache of their own. Takes some minutes.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/ampoule-image.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
export CCACHE_DISABLE=1
: "${SOURCE_DATE_EPOCH:=$(git -C "$here" log -1 --format=%ct 2>/dev/null || echo 0)}"
export SOURCE_DATE_EPOCH
cache=${XDG_CACHE_HOME:-$HOME/.cache}

# copy FOLDER: the tree as it is, without what was built
copy() {
	mkdir -p "$1"
	(cd "$here" && git ls-files -coz --exclude-standard | tar --null -T - -cf - 2>/dev/null) |
		tar -xf - -C "$1"
}

build() { make -s -C "$1" image IMAGE_TAGS= >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; exit 1; }; }

begin=$(date +%s)
second=$work/second/with_a_longer_name
copy "$work/first"
copy "$second" # now: the tree may change meanwhile
build "$work/first"
find "$second" -exec touch -h -d '2001-02-03 04:05:06' {} +
# The same sources and Python packages, nothing that was compiled.
mkdir -p "$work/cache/ampoule"
ln -s "$cache/ampoule/sources" "$cache"/ampoule/venv-* "$work/cache/ampoule/"
(
	umask 077
	export XDG_CACHE_HOME="$work/cache" TZ=Pacific/Auckland LC_ALL=C.UTF-8 USER=somebody LOGNAME=somebody
	MAKEFLAGS=--shuffle # where make knows it
	make --shuffle --version >/dev/null 2>&1 || MAKEFLAGS=
	export MAKEFLAGS
	build "$second"
)
differs=0
for file in build/static/ampoule build/static/ampoule-agent build/static/ampoule-webhook \
	$(cd "$work/first" && echo build/image/*); do
	a=$(sha256sum <"$work/first/$file") b=$(sha256sum <"$second/$file")
	test "$a" = "$b" && mark=same || mark=DIFFERS differs=1
	printf '  %-44s %s %s\n' "$file" "$(echo "$a" | cut -c1-16)" "$mark"
done
echo "image-reproducible: $((1 - differs)) passed, $differs failed ($(($(date +%s) - begin)) s)"
exit $differs
