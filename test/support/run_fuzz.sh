#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs libFuzzer programs for a number of seconds each, as many at a time as JOBS says. New
# inputs and findings go to a folder outside the tree; only a person moves one into
# test/fuzz/corpus. Ends with one line: N passed, N failed.
# usage: run_fuzz.sh SECONDS PROGRAM…
set -u
seconds=$1
shift
out=$(mktemp -d "${TMPDIR:-/tmp}/ampoule-fuzz.XXXXXX") || exit 2
export FUZZ_OUT="$out" FUZZ_SECONDS="$seconds"
trap 'exit 130' INT TERM

printf '%s\n' "$@" | sed '/^$/d' | xargs -r -n1 -P"${JOBS:-2}" sh -c '
	name=$(echo "$0" | sed "s,^build/\([a-z]*\)-[^/]*/test/fuzz/,\1.,")
	base=${0##*/}
	corpus=test/fuzz/corpus/${base%_fuzz}
	dict=test/fuzz/dict/${base%_fuzz}.dict
	mkdir -p "$FUZZ_OUT/$name/new" "$FUZZ_OUT/$name/found"
	test -d "$corpus" || corpus=
	test -f "$dict" && dict=-dict=$dict || dict=
	timeout -k 10 $((FUZZ_SECONDS + 120)) "$0" -max_total_time="$FUZZ_SECONDS" -timeout=10 \
		-rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$FUZZ_OUT/$name/found/" \
		$dict "$FUZZ_OUT/$name/new" $corpus >"$FUZZ_OUT/$name/log" 2>&1 </dev/null
	echo $? >"$FUZZ_OUT/$name/rc"'

passed=0 failed=0
for rc in "$out"/*/rc; do
	test -f "$rc" || break
	dir=${rc%/rc} name=$(basename "${rc%/rc}")
	runs=$(awk '/number_of_executed_units/{print $2}' "$dir/log")
	edges=$(awk '/ cov: /{for (i = 1; i < NF; i++) if ($i == "cov:") c = $(i + 1)} END{print c}' "$dir/log")
	if [ "$(cat "$rc")" = 0 ]; then
		passed=$((passed + 1))
		echo "  $name: ${runs:-?} runs, ${edges:-?} edges, $(find "$dir/new" -type f | wc -l) new inputs"
	else
		failed=$((failed + 1))
		echo "--- $name: exit $(cat "$rc"); the input lies in $dir/found"
		tail -n 60 "$dir/log"
	fi
done
test "$failed" != 0 || rm -rf "$out"
echo "fuzz: $passed passed, $failed failed"
test "$failed" = 0
