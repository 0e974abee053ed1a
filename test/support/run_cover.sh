#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs unit tests and whole-program tests of the coverage build; summary on the terminal,
# pages in build/cover/.
# usage: run_cover.sh VARIANT UNIT-PROGRAM…
set -u
variant=$1
shift
find "build/$variant" -name '*.gcda' -delete
sh test/support/run_units.sh "$variant" "$@" || failed=1
sh test/support/run_system.sh "build/$variant/bin" || failed=1
mkdir -p build/cover
gcovr --root . --object-directory "build/$variant/obj" --exclude 'test/' --exclude 'build/' \
	--gcov-ignore-parse-errors --html-details build/cover/index.html --txt build/cover/summary.txt \
	--print-summary 2>build/cover/gcovr.log || { cat build/cover/gcovr.log; exit 1; }
cut -c1-70 build/cover/summary.txt # less the lists of lines, which the pages show
test -z "${failed:-}"
