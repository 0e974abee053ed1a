#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The stages of `make test`, after everything has been built. Each stage runs whatever the
# others did, each has a time limit, and the table at the end tells which failed.
# usage: run_all.sh TEST…   (paths under build/<variant>/)
set -u
passed=0 failed=0 table= beside= making=
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'kill $beside $making 2>/dev/null; exit 130' INT TERM

# stage NAME SECONDS COMMAND…
stage() {
	name=$1 limit=$2
	shift 2
	echo "== $name"
	begin=$(date +%s)
	timeout -k 10 "$limit" "$@" </dev/null
	verdict $?
}

# Starts a command that runs beside the stages: beside NAME SECONDS COMMAND…
beside() {
	beside_name=$1 beside_limit=$2 beside_begin=$(date +%s)
	shift 2
	timeout -k 10 "$beside_limit" "$@" </dev/null >"$log" 2>&1 &
	beside=$!
}

# Waits for it, and shows what it said.
join() {
	name=$beside_name limit=$beside_limit begin=$beside_begin
	echo "== $name (ran beside the stages)"
	wait "$beside"
	status=$? beside=
	cat "$log"
	verdict "$status"
}

verdict() {
	status=$1
	took=$(($(date +%s) - begin))
	case $status in
	0) passed=$((passed + 1)) word=ok ;;
	124 | 137) failed=$((failed + 1)) word="over $limit s" ;;
	*) failed=$((failed + 1)) word="exit $status" ;;
	esac
	table="$table
  $(printf '%-28s %5d s  %s' "$name" "$took" "$word")"
}

# units VARIANT SECONDS TEST…
units() {
	variant=$1 seconds=$2
	shift 2
	stage "units $variant" "$seconds" sh test/support/run_units.sh "$variant" \
		$(printf "build/$variant/%s\n" "$@")
}

# Programs of others are built once, for minutes, while the first stages run, in the order in
# which they are needed; a stage waits for its own.
mkdir -p build
timeout -k 10 3600 nice -n 10 sh -c 'sh test/system/build.sh; cd test/kube &&
	sh build.sh kube-apiserver kube-controller-manager && sh build.sh kube-scheduler kubelet kubectl node
	sh ../manifests/build.sh; sh ../elsewhere/build.sh' </dev/null >build/tools.log 2>&1 &
making=$!

# suite NAME SECONDS SUITE FOLDER [PYTEST-ARGUMENT…]: after what its build.sh makes
suite() {
	name=$1 limit=$2 in=$3
	shift 3
	stage "$name" "$limit" env SUITE="$in" sh -c 'sh "$SUITE/build.sh" $PROGRAMS >/dev/null && exec sh \
		test/support/run_system.sh "$@"' suite "$@"
}

beside "ten minutes of logins" 840 sh test/support/pg_loop.sh build/static
units openssl-glibc 300 "$@"
units mbedtls-glibc 300 "$@"
units openssl-glibc-san 600 "$@"
units mbedtls-glibc-san 600 "$@"
stage "templates beside Go" 400 sh test/diff/run.sh build/openssl-glibc/test/prog/tmpl_batch
stage "drop-in beside bao agent" 480 sh test/support/run_system.sh build/bin -n 2 -k test_dropin
# Most of a system test is waiting: four at once. Files stay whole, since they share servers.
suite "system, OpenSSL" 1200 test/system build/bin -n 4 --dist loadfile --ignore test/system/test_dropin.py
suite "system, static mbedTLS" 1200 test/system build/static -n 4 --dist loadfile --ignore test/system/test_dropin.py
export PROGRAMS='kube-apiserver kube-controller-manager'
suite "kube-apiserver, build/bin" 1800 test/kube build/bin
export AMPOULE_CERTS_LOAD_S=120 # certificates are renewed for two minutes, in one build
suite "kube-apiserver, build/static" 1800 test/kube build/static
unset PROGRAMS
if [ "$(id -u)" = 0 ]; then
	stage "real pods" 1800 sh test/e2e/run.sh
	stage "real pods, interrupted" 600 sh test/e2e/left.sh
else
	table="$table
  real pods: left out, as it needs root"
fi
stage "executables and image" 400 env SUITE=test/image sh test/support/run_system.sh build/static
suite manifests 900 test/manifests build/static
suite "rules in other engines" 900 test/elsewhere build/static
test ! -f test/demo/demo.sh || AMPOULE_BIN=$PWD/build/mbedtls-musl/bin stage demo 120 sh test/demo/demo.sh
stage lint 600 sh test/lint/run.sh
join

echo "== summary$table"
echo "stages: $passed passed, $failed failed"
test "$failed" = 0
