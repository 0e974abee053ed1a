#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rule: every source file names its licence in one of its first five lines.
. "$(dirname "$0")/files.sh"

files '*.c' '*.h' '*.sh' '*.py' '*.go' '*.txt' '*.lock' '*.yaml' '*.yml' Makefile .ci/run .clang-format |
	grep -v -e '/corpus/' -e '^test/cases/' -e '^test/fake/data/' | while read -r f; do
	head -n 5 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$f: no SPDX line"
done | complain
verdict
