#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unit tests under valgrind, then the demo with its agent under valgrind. Any error or lost
# block fails.
# usage: run_valgrind.sh VARIANT UNIT-PROGRAM…
set -u
variant=$1
shift
failed=0
export UNIT_LIMIT=600
tool='valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect --fair-sched=yes'
UNIT_WRAP=$tool sh test/support/run_units.sh "$variant" "$@" || failed=1

if [ -f test/demo/demo.sh ]; then
	out=$(mktemp -d "${TMPDIR:-/tmp}/ampoule-valgrind.XXXXXX") || exit 2
	AMPOULE_BIN="$PWD/build/$variant/bin" DEMO_SLOW=8 DEMO_WRAP="$tool --log-file=$out/%p.log" \
		timeout 300 sh test/demo/demo.sh || failed=1
	runs=$(find "$out" -name '*.log' | wc -l)
	# "--PID--" lines are valgrind's own news (system calls that it does not know).
	if [ "$runs" = 0 ] || grep -q '^==' "$out"/*.log; then
		grep -h '^==' "$out"/*.log
		failed=1
	fi
	echo "valgrind: $runs processes of the demo, $(test "$failed" = 0 && echo clean || echo FAILED)"
	rm -rf "$out"
fi
test "$failed" = 0
