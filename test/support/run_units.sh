#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs unit test programs two at a time, each in a fresh TMPDIR with a time limit, shows
# only what failed, and ends with one line: N passed, N failed.
# usage: run_units.sh VARIANT PROGRAM…   (a program *_fuzz replays its corpus)
set -u
variant=$1
shift
out=$(mktemp -d "${TMPDIR:-/tmp}/unit.XXXXXX") || exit 2
trap 'rm -rf "$out"' EXIT
trap 'exit 130' INT TERM
case $variant in *-san) limit=300 ;; *) limit=120 ;; esac # on a busy machine, too
export UNIT_OUT="$out" UNIT_LIMIT="${UNIT_LIMIT:-$limit}"
export AMPOULE_BIN="$PWD/build/$variant/bin"
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

printf '%s\n' "$@" | sed '/^$/d' | xargs -r -n1 -P"${JOBS:-2}" sh -c '
	name=$(echo "$0" | sed "s,^build/[^/]*/test/,,; s,/,.,g")
	tmp=$(mktemp -d "$UNIT_OUT/XXXX") # short: names of sockets have 107 bytes
	case $0 in *_fuzz) base=${0##*/}; set -- "test/fuzz/corpus/${base%_fuzz}" ;; *) set -- ;; esac
	TMPDIR="$tmp" timeout -k 5 "$UNIT_LIMIT" ${UNIT_WRAP:-} "$0" "$@" \
		>"$UNIT_OUT/$name.log" 2>&1 </dev/null
	echo $? >"$UNIT_OUT/$name.rc"
	chmod -R u+rwx "$tmp"; rm -rf "$tmp"'

passed=0 failed=0
for rc in "$out"/*.rc; do
	test -f "$rc" || break
	log=${rc%.rc}.log name=$(basename "$rc" .rc) status=$(cat "$rc")
	p=$(awk '/^\[  PASSED  \] [0-9]+ test/{n = $4} END{print n + 0}' "$log")
	f=$(awk '/^\[  FAILED  \] [0-9]+ test/{n = $4} END{print n + 0}' "$log")
	passed=$((passed + p))
	if [ "$status" != 0 ]; then
		test "$f" -gt 0 || f=1 # died: a signal, a sanitizer, a time-out
		echo "--- $name: exit $status$(test "$status" = 124 && echo " (over $UNIT_LIMIT s)")"
		grep -v '^\[ RUN  \|^\[       OK\|^\[ *RUN\|^\[ *OK' "$log" | tail -n 80
	elif [ "$p" = 0 ]; then
		f=1
		echo "--- $name: ran no test"
		tail -n 20 "$log"
	fi
	failed=$((failed + f))
done
echo "units/$variant: $passed passed, $failed failed"
test "$failed" = 0
