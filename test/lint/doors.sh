#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rule: each outside interface is included in one place (doors.txt).
. "$(dirname "$0")/files.sh"

files '*.[ch]' | grep -v -e '^test/' -e '^image/' |
	xargs -r grep -HnoE '^#[[:space:]]*include[[:space:]]*<[^>]*>' |
	sed -E 's/^([^:]*):([0-9]*):.*<(.*)>/\1 \2 \3/' | awk '
	NR == FNR {
		sub(/[ \t]*#.*/, "")
		if (NF > 1) { pattern[++n] = $1; $1 = ""; places[n] = $0 }
		next
	}
	{
		for (i = 1; i <= n; i++) {
			if ($3 !~ pattern[i]) continue
			m = split(places[i], place, " ")
			for (j = 1; j <= m; j++) if (index($1, place[j]) == 1) break
			if (j > m) print $1 ":" $2 ": <" $3 "> belongs to" places[i]
		}
	}' "$lint_dir/doors.txt" - | complain
verdict
