#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rule: each outside interface is included in one place (doors.txt).
. "$(dirname "$0")/files.sh"

table doors.txt | while read -r pattern places; do
	files '*.[ch]' | grep -v -e '^test/' -e '^image/' |
		xargs -r grep -HnoE '^#[[:space:]]*include[[:space:]]*<[^>]*>' |
		sed -E 's/^([^:]*):([0-9]*):.*<(.*)>/\1 \2 \3/' |
		while read -r file line header; do
			echo "$header" | grep -qE "$pattern" || continue
			for p in $places; do case $file in "$p"*) continue 2 ;; esac done
			echo "$file:$line: <$header> belongs to $places"
		done
done | complain
verdict
