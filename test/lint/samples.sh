#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Proves the rules: each must accept a clean little tree and refuse it with one breach.
set -u
lint=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0
LAYER_TABLE='lib/base: ; lib/http: lib/base;'
export LAYER_TABLE

clean() {
	rm -rf "$tree" && mkdir -p "$tree/lib/base" "$tree/lib/http" "$tree/build/openssl-glibc-debug/obj/lib/base" && cd "$tree" || exit 2
	git init -q .
	cp "$lint/../../.clang-format" .
	echo build/ >.gitignore
	printf '// SPDX-License-Identifier: Apache-2.0\n#pragma once\n\nint one(void);\n' >lib/base/one.h
	printf '// SPDX-License-Identifier: Apache-2.0\n#include "lib/base/one.h"\n\nint one(void)\n{\n\treturn 1;\n}\n' >lib/base/one.c
}
compile() { # the objects that calls and clashes look at
	gcc -O0 -fno-builtin -I. -c -o build/openssl-glibc-debug/obj/lib/base/one.o lib/base/one.c &&
		ar rcs build/openssl-glibc-debug/libbase.a build/openssl-glibc-debug/obj/lib/base/one.o
	ln -sfn "$lint/../../build/deps" build/deps
}
# try RULE WHAT: the rule accepts the clean tree, and refuses it after the commands on stdin.
try() {
	clean && compile
	sh "$lint/$1.sh" >out 2>&1 || { echo "$1 refuses a clean tree:"; cat out; failed=1; }
	rm -f out
	eval "$(cat)"
	test "$1" = calls -o "$1" = clashes && compile
	if sh "$lint/$1.sh" >/dev/null 2>&1; then
		echo "$1 does not see $2"
		failed=1
	fi
}

try headers 'a header that needs another' <<'END'
echo 'size_t two(void);' >>lib/base/one.h
END
try headers 'a missing #pragma once' <<'END'
sed -i '/pragma/d' lib/base/one.h
END
try doors 'curl outside lib/http' <<'END'
echo '#include <curl/curl.h>' >>lib/base/one.c
END
try doors 'epoll outside lib/loop' <<'END'
echo '#include <sys/epoll.h>' >>lib/base/one.c
END
try layers 'an include of the layer above' <<'END'
touch lib/http/x.h; echo '#include "lib/http/x.h"' >>lib/base/one.c
END
try layers 'a file in no layer' <<'END'
mkdir odd; echo '#include "lib/base/one.h"' >odd/x.c
END
try calls 'strcpy' <<'END'
printf 'char *strcpy(char *, const char *);\nchar *c(char *a);\nchar *c(char *a) { return strcpy(a, "x"); }\n' >>lib/base/one.c
END
try calls 'fork' <<'END'
printf 'int fork(void);\nint c(void);\nint c(void) { return fork(); }\n' >>lib/base/one.c
END
try clashes 'a name of libcurl' <<'END'
printf 'int curl_easy_init(void);\nint curl_easy_init(void) { return 1; }\n' >>lib/base/one.c
END
try sizes 'a long file' <<'END'
seq -f '// %g' 1 600 >>lib/base/one.c
END
try sizes 'a long function' <<'END'
{ printf 'int two(void)\n{\n'; seq -f '	f(%g);' 1 70; printf '}\n'; } >>lib/base/one.c
END
try words 'goto' <<'END'
printf 'out:\n\tgoto out;\n' >>lib/base/one.c
END
try words 'a TODO without a number' <<'END'
echo '// TODO: later' >>lib/base/one.c
END
try spdx 'a file without its licence' <<'END'
sed -i 1d lib/base/one.c
END
try places 'a home folder' <<'END'
echo '// see /hom''e/me/notes' >>lib/base/one.c
END
try form 'a missing blank' <<'END'
echo 'int  x;' >>lib/base/one.c
END
test "$failed" = 0
