#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every rule, proves that each rule finds a planted breach (samples.sh), and ends with
# one line: N passed, N failed. usage: run.sh [RULE…]
set -u
cd "$(dirname "$0")/../.." || exit 2
test $# -gt 0 || set -- headers clang doors layers calls clashes sizes words spdx places form static samples
passed=0 failed=0
for rule in "$@"; do
	begin=$(date +%s%N)
	if out=$(sh "test/lint/$rule.sh" 2>&1); then
		passed=$((passed + 1)) mark=ok
	else
		failed=$((failed + 1)) mark=FAILED
	fi
	printf '%-8s %-6s %5d ms\n' "$rule" "$mark" $((($(date +%s%N) - begin) / 1000000))
	test -z "$out" || printf '%s\n' "$out" | head -n 60
done
echo "lint: $passed passed, $failed failed"
test "$failed" = 0
