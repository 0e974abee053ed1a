#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# embed.sh: prints the texts of the functions' rows (templates/func.h) as C: a table of its own,
# which a program that shows no help does not link.
set -eu
export LC_ALL=C
cat <<'C'
// SPDX-License-Identifier: Apache-2.0
// Made by templates/help/embed.sh; do not edit.
#include "templates/func.h"

#undef FUNC
#define FUNC(name, params, fn, help, example, result, flags)                             \
	name "\0" help "\0" example "\0" result
C
# Macros that make rows, and the rows of each table of functions (not of methods).
awk '/^#define/ {
	macro = $0
	while (macro ~ /\\$/ && (getline line) > 0)
		macro = macro "\n" line
	if (macro ~ /FUNC\(/)
		print macro
}' templates/funcs_*.c
echo
echo 'const char *const func_texts[] = {'
awk '/^}/ { rows = 0 } rows && !/name = NULL/ { print }
	/^const struct func funcs_.*{$/ { rows = 1 }' templates/funcs_*.c
echo '	NULL,'
echo '};'
