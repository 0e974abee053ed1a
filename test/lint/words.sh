#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rule: no goto, and no TODO or FIXME without the number of an issue: TODO(#12).
. "$(dirname "$0")/files.sh"

files '*.[ch]' | xargs -r grep -nE '(^|[^"a-zA-Z_])goto[[:space:]]+[a-z_]+;' | sed 's/$/   [no goto]/' | complain
files '*.[ch]' '*.sh' '*.py' Makefile | grep -v '^test/lint/' |
	xargs -r grep -nE '\b(TODO|FIXME)\b' | grep -vE '(TODO|FIXME)\(#[0-9]+\)' |
	sed 's/$/   [no issue number]/' | complain
verdict
