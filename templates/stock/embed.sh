#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# embed.sh FILE.tmpl… : prints the ready-made templates as C (templates/stock.h). A file's
# leading comment is for its reader and does not become part of the template.
set -eu
export LC_ALL=C
echo '// SPDX-License-Identifier: Apache-2.0'
echo '// Made by templates/stock/embed.sh; do not edit.'
echo '#include "templates/stock.h"'
echo
echo '#include <stddef.h>'
echo
echo 'const struct tmpl_stock_text tmpl_stock_texts[] = {'
for file in $(printf '%s\n' "$@" | sort); do
	name=${file##*/}
	printf '\t{ "%s",\n' "${name%.tmpl}"
	awk 'NR == 1 && /^\{\{- \/\*/ { note = 1 }
		!note { print }
		/\*\/ -\}\}$/ { note = 0 }' "$file" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/	/\\t/g' -e 's/?/\\?/g' \
		-e 's/^/\t  "/' -e 's/$/\\n"/'
	printf '\t},\n'
done
echo '	{ NULL, NULL },'
echo '};'
