#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Links an executable for arm64 twice. The compiler and GNU's linker optimize the whole program;
# what comes of that is linked again by LLVM's linker, since GNU's (binutils 2.40) packs relative
# relocations for x86 only: 69 KB of the agent become one. musl 1.2.5 applies packed ones itself.
# The pages of the file stay 64 KiB, which some kernels for arm64 have; lld does not pad for them.
# usage: link_arm64.sh OUT COMPILER ARGUMENT…   (without -o; a link without LTO is left as it is)
set -eu
out=$1
shift
work=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
"$@" -g0 -o "$work/x" -save-temps=obj # without -g0 files of two links would clash
if [ ! -f "$work/x.ltrans0.ltrans.s" ]; then
	mv "$work/x" "$out"
	exit 0
fi
first= last=
for word; do
	case $word in
	*/rcrt1.o) first="$first $word" libc=${word%/*}/libc.a ;;
	*/crtbeginS.o) first="$first $word" libgcc=${word%/*}/libgcc.a ;;
	*/crti.o | *_only.o) first="$first $word" ;;
	*/crtendS.o | */crtn.o) last="$last $word" ;;
	esac
done
"$1" -c -o "$work/program.o" "$work/x.ltrans0.ltrans.s"
# shellcheck disable=SC2086 # lists of files without blanks
ld.lld -m aarch64linux -pie --no-dynamic-linker -static -z text -z relro -z now -z noexecstack \
	-O2 --gc-sections --pack-dyn-relocs=relr --wrap=pthread_create -o "$out" $first "$work/program.o" \
	--start-group "$libc" "$libgcc" --end-group $last
