#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Renders a second of small and large templates: ours (OpenSSL, glibc), Go's text/template and
# the release build (built for size) in turn on the same processor, five rounds each; the best
# round counts. "parse" parses anew each time. Memory is the least peak of resident memory, ours
# the release build's. Status 1 when ours is slower, or takes more than a tenth of the memory.
set -eu
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
ours=build/openssl-glibc/test/prog/tmpl_bench
release=build/mbedtls-musl/test/prog/tmpl_bench
for f in "$ours" "$release"; do test -x "$f" || make -s "$f"; done
(cd test/diff && CGO_ENABLED=0 go build -o "$dir/go" ./bench)

printf '{{with .data}}user={{.user}}\npassword={{.password}}\n{{end}}' >"$dir/small.tmpl"
printf '{"data":{"user":"app","password":"s3cret"}}' >"$dir/small.json"
cat >"$dir/env.tmpl" <<'T'
{{range $k, $v := .data}}export {{$k | toUpper}}='{{$v | replaceAll "'" "x"}}'
{{end}}
T
awk 'BEGIN { printf "{\"data\":{"; for (i = 0; i < 30; i++) printf "%s\"key%d\":\"value %d\"", i ? "," : "", i, i; print "}}" }' >"$dir/env.json"
# 18 KB of template over a document of 64 records.
{
	cat <<'T'
{{define "row"}}{{.id}};{{.name | toUpper}};{{if .on}}yes{{else}}no{{end}};{{printf "%08.3f|%-12s|%q" .x .name .note}}
{{end}}{{range $i, $r := .rows}}{{if and $r.on (gt $r.x 10.0)}}{{$i}}:{{template "row" $r}}{{else if eq $r.name "n7"}}seven{{end}}{{range $r.tags}}[{{.}}]{{end}}{{len $r.tags}}{{index $r.tags 0}}
{{end}}{{toJSON .rows}}
T
	i=0
	while [ $i -lt 64 ]; do
		cat <<T
[section$i]
{{- /* one record, field by field */ -}}
{{with index .rows $i}}
name = {{.name | replaceAll "n" "m"}} # {{.note}}
{{if .on -}} limit = {{printf "%d.%d" 3 $i}} {{- else -}} limit = none {{- end}}
{{range \$k, \$tag := .tags}}tag.{{\$k}} = {{\$tag}}
{{end}}{{end}}
T
		i=$((i + 1))
	done
} >"$dir/large.tmpl"
awk 'BEGIN { printf "{\"rows\":["; for (i = 0; i < 64; i++) printf "%s{\"id\":%d,\"name\":\"n%d\",\"on\":%s,\"x\":%d.25,\"note\":\"a \\\"quoted\\\" <note>\",\"tags\":[\"a%d\",\"b\",\"c\"]}", i ? "," : "", i, i, i % 3 ? "true" : "false", i, i; print "]}" }' >"$dir/large.json"

command -v taskset >/dev/null && pin="taskset -c 0" || pin=
once() { # NAME PROGRAM TEMPLATE [parse]: one round; a line NAME RENDERS NANOSECONDS KIB BYTES
	# shellcheck disable=SC2086
	echo "$1 $($pin "$2" "$dir/$3.tmpl" "$dir/$3.json" 300 ${4:+$4})"
}
status=0
printf '%-12s %28s %17s %10s\n' '' 'renders a second' 'times Go' 'peak KiB'
printf '%-12s %9s %9s %9s %8s %8s %6s %6s\n' case ours release Go ours release ours Go
for case in small env large "small parse" "env parse" "large parse"; do
	# shellcheck disable=SC2086
	set -- $case
	for round in 1 2 3 4 5; do
		once ours "$ours" "$@"
		once go "$dir/go" "$@"
		once release "$release" "$@"
	done | awk -v case="$case" '
		!($1 in best) || $3 < best[$1] { best[$1] = $3 }
		!($1 in kib) || $4 < kib[$1] { kib[$1] = $4 }
		{ bytes[$1] = $5 }
		END {
			printf "%-12s %9d %9d %9d %7.2fx %7.2fx %6d %6d\n", case, 1e9 / best["ours"],
				1e9 / best["release"], 1e9 / best["go"], best["go"] / best["ours"],
				best["go"] / best["release"], kib["release"], kib["go"]
			if (bytes["ours"] != bytes["go"] || bytes["release"] != bytes["go"])
				bad = "the outputs differ"
			else if (best["ours"] > best["go"])
				bad = "slower than Go"
			else if (kib["release"] * 10 > kib["go"])
				bad = "more than a tenth of the memory"
			if (bad)
				print "    " bad
			exit bad != ""
		}' || status=1
done
exit $status
