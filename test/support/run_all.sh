#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The stages of `make test`, after everything has been built. Each stage runs whatever the
# others did, each has a time limit, and the table at the end tells which failed.
# usage: run_all.sh TEST…   (paths under build/<variant>/)
set -u
passed=0 failed=0 table= beside=
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'test -z "$beside" || kill "$beside" 2>/dev/null; exit 130' INT TERM

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

# The real Kubernetes is built once, for minutes, while the other stages run.
mkdir -p build
nice -n 10 sh test/kube/build.sh kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl node >build/kube.log 2>&1 &
nice -n 10 sh test/manifests/build.sh >build/manifests.log 2>&1 &

# kube FOLDER: against a real kube-apiserver
kube() {
	stage "kube-apiserver, $1" 1800 sh -c "sh test/kube/build.sh kube-apiserver kube-controller-manager && SUITE=test/kube exec sh \
		test/support/run_system.sh $1"
}

beside "ten minutes of logins" 840 sh test/support/pg_loop.sh build/static
units openssl-glibc 120 "$@"
units mbedtls-glibc 120 "$@"
units openssl-glibc-san 300 "$@"
units mbedtls-glibc-san 300 "$@"
stage "templates beside Go" 180 sh test/diff/run.sh build/openssl-glibc/test/prog/tmpl_batch
stage "drop-in beside bao agent" 480 sh test/support/run_system.sh build/bin -n 2 -k test_dropin
# Most of a system test is waiting: four at once. Files stay whole, since they share servers.
stage "system, OpenSSL" 900 sh test/support/run_system.sh build/bin -n 4 --dist loadfile --ignore test/system/test_dropin.py
stage "system, static mbedTLS" 900 sh test/support/run_system.sh build/static -n 4 --dist loadfile --ignore test/system/test_dropin.py
kube build/bin
export AMPOULE_CERTS_LOAD_S=120 # certificates are renewed for two minutes, in one build
kube build/static
stage "real pods" 1200 sh test/e2e/run.sh
stage "executables and image" 180 env SUITE=test/image sh test/support/run_system.sh build/static
stage "manifests" 900 env SUITE=test/manifests sh test/support/run_system.sh build/static
test ! -f test/demo/demo.sh || AMPOULE_BIN=$PWD/build/mbedtls-musl/bin stage demo 120 sh test/demo/demo.sh
stage lint 300 sh test/lint/run.sh
join

echo "== summary$table"
echo "stages: $passed passed, $failed failed"
test "$failed" = 0
