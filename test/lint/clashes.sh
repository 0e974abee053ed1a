#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rule: no global symbol of ours has the name of one in the libraries that a static link
# takes in: either would silently win over the other.
. "$(dirname "$0")/files.sh"

theirs=$(mktemp)
for lib in "$(gcc -print-file-name=libssl.a)" "$(gcc -print-file-name=libcrypto.a)" \
	build/deps/glibc/lib/*.a build/deps/musl/lib/libjansson.a build/deps/musl/lib/libyaml.a \
	"/usr/lib/$(uname -m)-linux-musl/libc.a"; do
	test -f "$lib" || { echo "no $lib: run 'make deps'" | complain; continue; }
	gcc-nm --defined-only --extern-only "$lib" 2>/dev/null | awk -v lib="${lib##*/}" 'NF == 3 { print $3, lib }'
done | sort -k1,1 -u >"$theirs"
for variant in openssl-glibc-debug mbedtls-glibc-debug; do
	for lib in build/"$variant"/lib*.a; do
		nm -A --defined-only --extern-only "$lib" 2>/dev/null
	done
done | awk 'NF == 3 { split($1, part, ":"); sub(".*/", "", part[1]); print $3, part[1] ":" part[2] }' |
	sort -k1,1 -u | join - "$theirs" |
	awk '{ print $2 ": the symbol " $1 " is also in " $3 }' | complain
rm -f "$theirs"
verdict
