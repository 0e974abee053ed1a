#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rule: each executable of the release build is static, position-independent, with read-only
# relocations and without an executable stack, and runs. What runs beside applications is
# small: the agent at most 1 MiB, the webhook 0.7; the tool, which holds nearly all of both,
# 1.25. Prints the sizes.
. "$(dirname "$0")/files.sh"

mib=1048576
for f in build/static/ampoule*; do
	test -f "$f" || continue
	case ${f##*/} in
	ampoule) limit=$((mib * 125 / 100)) ;;
	ampoule-webhook) limit=$((mib * 70 / 100)) ;;
	*) limit=$mib ;;
	esac
	size=$(stat -c %s "$f")
	printf '  %s: %d bytes (%d%% of a MiB)\n' "$f" "$size" $((size * 100 / mib))
	headers=$(readelf -hldW "$f")
	{
		test "$size" -le $limit || echo "$f: $size bytes; at most $limit"
		echo "$headers" | grep -q 'INTERP' && echo "$f: not static"
		echo "$headers" | grep -q '(NEEDED)' && echo "$f: needs a shared library"
		echo "$headers" | grep -q 'Type:.*DYN' || echo "$f: not position-independent"
		echo "$headers" | grep -q 'GNU_RELRO' || echo "$f: no RELRO"
		echo "$headers" | grep -qE 'BIND_NOW|FLAGS.*NOW' || echo "$f: relocations not bound at start"
		echo "$headers" | grep -q 'GNU_STACK.*RW ' || echo "$f: executable stack"
		echo "$headers" | grep -q 'TEXTREL' && echo "$f: relocations in its text"
		"$f" --version >/dev/null 2>&1 || echo "$f: --version fails"
	} | complain
done
verdict
