#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rule: a file has at most 500 lines, with a reason in size.allow 800; a function at most 60
# (a test with its table of cases 120), more only with a reason. A function's body is what stands between { and } in column one.
. "$(dirname "$0")/files.sh"

files '*.[ch]' | grep -v '^build/' | xargs -r awk '
	NR == FNR && FILENAME ~ /size\.allow$/ { if ($1 !~ /^#/ && NF > 1) allowed[$1] = 1; next }
	FNR == 1 { if (file != "") whole(); file = FILENAME }
	{ lines = FNR }
	/^[a-zA-Z_].*\(/ && !/^(typedef|extern)/ {
		name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name)
		if (name ~ /^__attribute__$/ || name == "") name = "?"
	}
	/^\{/ { open = FNR; opened = name }
	/^\}/ && open {
		if (FNR - open - 1 > most(file) && !((file ":" opened) in allowed))
			print file ":" open ": " opened "() has " FNR - open - 1 " lines; at most " most(file)
		seen[file ":" opened] = FNR - open - 1
		open = 0
	}
	function most(path) { return path ~ /^test\// ? 120 : 60 }
	function whole() {
		if (lines > 800 && file !~ /_tables\.[ch]$/) print file ": " lines " lines; at most 800"
		else if (lines > 500 && !(file in allowed) && file !~ /_tables\.[ch]$/) print file ": " lines " lines; above 500 it needs a reason in test/lint/size.allow"
		seen[file] = lines
	}
	END {
		if (file != "") whole()
		for (a in allowed) {
			limit = a ~ /:/ ? most(a) : 500
			if ((a in seen) && seen[a] <= limit) print "test/lint/size.allow: " a " needs no exception any more"
		}
	}' "$lint_dir/size.allow" | complain
verdict
