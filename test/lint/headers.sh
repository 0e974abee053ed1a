#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rule: each header compiles alone, with both TLS libraries, and has #pragma once.
. "$(dirname "$0")/files.sh"

alone() { # TLS INCLUDES…
	other=$1
	shift
	files '*.h' | grep -v -e "/$other/" -e '^image/' | xargs -r -n1 -P2 sh -c '
		printf "#include \"%s\"\n" "$0" |
			gcc -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -fsyntax-only -I. '"$*"' -x c - 2>&1 |
			sed "s,^,$0 alone: ,"' | grep -E 'error|warning'
}
alone mbedtls | complain
alone openssl -isystem build/deps/glibc/include | complain
files '*.h' | grep -v '^image/' | xargs -r grep -L '^#pragma once' | sed 's/$/: no #pragma once/' | complain
verdict
