#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rule: no object calls a function of calls.txt. Looked up in the debug objects, which are
# compiled without built-ins, so that no call hides behind another name.
. "$(dirname "$0")/files.sh"

for variant in openssl-glibc-debug mbedtls-glibc-debug; do
	root=build/$variant/obj
	test -d "$root" || continue
	# Objects whose source has gone are not looked at.
	find "$root" -name '*.o' ! -path "$root/test/*" | while read -r o; do
		source=${o#"$root/"}
		test ! -f "${source%.o}.c" || echo "$o"
	done | xargs -r nm -A -u | awk -v root="$root/" '
		NR == FNR { sub(/[ \t]*#.*/, ""); if ($1 != "") { banned[$1] = 1; for (i = 2; i <= NF; i++) ok[$1] = ok[$1] " " $i }; next }
		{
			object = $1; sub(/:.*/, "", object); sub("^" root, "", object)
			name = $NF; sub(/@.*/, "", name)
			if (!(name in banned)) next
			n = split(ok[name], place, " ")
			for (i = 1; i <= n; i++) if (index(object, place[i]) == 1) next
			source = object; sub(/\.o$/, ".c", source)
			print source ": calls " name (n ? "; only" ok[name] " may" : "")
		}' "$lint_dir/calls.txt" -
done | sort -u | complain
files '*.[ch]' | grep -v '^test/' | xargs -r grep -nE '\b(alloca|__builtin_alloca)[[:space:]]*\(' | complain
verdict
