#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rule: clang has no warning about any source file (gcc's come with the build). CLANG_FLAGS
# are the Makefile's warnings.
. "$(dirname "$0")/files.sh"

files '*.c' | grep -v '^image/' | CLANG_FLAGS="${CLANG_FLAGS:--Wall}" xargs -r -n1 -P2 sh -c '
	clang -std=gnu17 -D_GNU_SOURCE -DAMPOULE_VERSION=\"0\" $CLANG_FLAGS -Wno-error -fsyntax-only -I. \
		-isystem build/deps/glibc/include -fno-caret-diagnostics "$0" 2>&1 || :' |
	grep -E ': (warning|(fatal )?error): ' | sort -u | complain
verdict
