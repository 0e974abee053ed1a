#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unit tests under valgrind, then the demo with each program replaced by a wrapper that runs
# it under valgrind. Any error or lost block fails.
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
	for program in "build/$variant/bin"/*; do
		test -f "$program" || continue
		cat >"$out/${program##*/}" <<-EOF
			#!/bin/sh
			exec $tool --log-file="$out/%p.log" "$PWD/$program" "\$@"
		EOF
		chmod 755 "$out/${program##*/}"
	done
	AMPOULE_BIN=$out AMPOULE_SLOW=1 sh test/demo/demo.sh || failed=1
	if [ -n "$(find "$out" -name '*.log' -size +0)" ]; then
		cat "$out"/*.log
		failed=1
	fi
	echo "valgrind: the demo's programs: $(find "$out" -name '*.log' | wc -l) processes"
	rm -rf "$out"
fi
test "$failed" = 0
