# SPDX-License-Identifier: Apache-2.0
# For the rules, which source it: files PATTERN… lists the files of the tree that match, with
# those that are new; complain LINE… prints a finding and remembers that there was one.
# A rule is a script NAME.sh here: it prints what it found and ends with `verdict`.
LC_ALL=C
export LC_ALL
lint_dir=$(cd "$(dirname "$0")" && pwd)
findings=$(mktemp)
trap 'rm -f "$findings"' EXIT

files() { git ls-files -co --exclude-standard -- "$@" | while read -r f; do test ! -f "$f" || echo "$f"; done; }
complain() { cat >>"$findings"; }
verdict() {
	cat "$findings"
	test ! -s "$findings"
}
# allowed FILE KEY: whether test/lint/FILE has a line that begins with KEY.
table() { sed 's/[[:space:]]*#.*//; /^$/d' "$lint_dir/$1"; }
