#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The template language beside Go's own packages: random templates against text/template,
# random expressions against regexp, and the Unicode tables. The Go programs are built once
# and kept in the user's cache. A failing seed is printed; it repeats the run.
# usage: run.sh PROGRAM [CASES [SEED]]   (PROGRAM is build/<variant>/test/prog/tmpl_batch)
set -eu
program=$(realpath "$1") cases=${2:-20000} seed=${3:-1}
here=$(cd "$(dirname "$0")" && pwd)
venv=$here/../../build/deps/venv
test ! -x "$venv/bin/go" || PATH=$venv/bin:$PATH
export GOWORK=off GOFLAGS="-mod=mod -buildvcs=false" GOTOOLCHAIN=local CGO_ENABLED=0
hash=$({ go version && cat "$here"/go.mod "$here"/*/*.go; } | sha256sum | cut -c1-16)
built=${XDG_CACHE_HOME:-$HOME/.cache}/ampoule/diff-$hash
if [ ! -e "$built/complete" ]; then
	mkdir -p "$built"
	exec 9>"$built.lock"
	flock 9
	for name in language regexps unicode; do
		(cd "$here" && go build -o "$built/$name" "./$name")
	done
	"$built/unicode" >"$built/tables.c"
	touch "$built/complete"
	find "${built%/*}" -maxdepth 1 -name 'diff-*' -mtime +30 -exec rm -rf {} +
fi
touch "$built"
status=0
"$built/language" -n "$cases" -seconds 80 -seed "$seed" -rows "$program" || status=1
"$built/regexps" -n "$cases" -seconds 40 -seed "$seed" "$program" || status=1
# The tables are those of one version of Unicode; a Go with another one has other letters.
tables=$here/../../templates/unicode_tables.c
version=$(sed -n 2p "$tables")
if [ "$(sed -n 2p "$built/tables.c")" != "$version" ]; then
	echo "unicode: not compared, as this Go has another version of it: $(sed -n 2p "$built/tables.c")"
elif cmp "$built/tables.c" "$tables"; then
	echo "unicode: the tables are equal"
else
	status=1
fi
exit $status
