#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rule: clang-format has nothing to change (`make format` applies it).
. "$(dirname "$0")/files.sh"

files '*.[ch]' | xargs -r clang-format --dry-run 2>&1 | grep -E '^[^ ]+\.[ch]:[0-9]+:[0-9]+: (warning|error)' |
	sed -E 's/^([^:]*):([0-9]+):.*/\1 \2/' |
	awk '{ n[$1]++; if (!($1 in first)) first[$1] = $2 } END { for (f in n) print f ":" first[f] ": clang-format would change " n[f] " places" }' |
	sort | complain
verdict
