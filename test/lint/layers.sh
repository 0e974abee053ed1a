#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rule: a file includes headers of its own layer and of those below it only. The table is the
# Makefile's (LAYER_TABLE: "layer: layers below; …"); linking proves the same for calls.
. "$(dirname "$0")/files.sh"

files '*.[ch]' | grep -v -e '^test/' -e '^image/' | xargs -r grep -HnoE '^#[[:space:]]*include[[:space:]]*"[^"]*"' |
	awk -v table="${LAYER_TABLE:?is set by make}" '
	BEGIN {
		n = split(table, row, ";")
		for (i = 1; i <= n; i++) {
			split(row[i], part, ":"); l = part[1]; gsub(/ /, "", l)
			if (l == "") continue
			layer[l] = 1; may[l, l] = 1
			m = split(part[2], below, " ")
			for (j = 1; j <= m; j++) may[l, below[j]] = 1
		}
	}
	function of(path,  p) { # the longest layer that is a prefix of the path
		for (p = path; p != ""; p = (match(p, /\/[^\/]*$/) ? substr(p, 1, RSTART - 1) : ""))
			if (p in layer) return p
		return ""
	}
	{
		file = $0; sub(/:.*/, "", file)
		line = $0; sub(/^[^:]*:/, "", line); sub(/:.*/, "", line)
		header = $0; sub(/^[^"]*"/, "", header); sub(/".*/, "", header)
		from = of(file); to = of(header)
		if (from == "") { print file ": in no layer of the Makefile"; next }
		if (to == "") print file ":" line ": \"" header "\": write the path from the root"
		else if (!((from, to) in may)) print file ":" line ": " from " may not include " to
	}' | complain
verdict
