#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the third-party libraries that Debian 12 does not have in a useful form: mbedTLS 3.6
# and a minimal libcurl on it; for musl also jansson, libyaml and cmocka. Two further kinds serve
# the image alone: musl-openssl has OpenSSL in the place of mbedTLS, and arm64 is musl's for
# that machine, with musl itself, made by Debian's cross compiler.
#
# usage: thirdparty.sh glibc|musl|musl-openssl|arm64 LINK
#   LINK becomes a symbolic link to a folder of the cache with include/, lib/ (and kernel/,
#   the kernel's headers for musl-gcc). The cache lies in ${XDG_CACHE_HOME:-~/.cache}/ampoule;
#   its folders are named after a hash of this recipe, so that nothing is built twice.
#
# Sources are Debian 13's source packages (sources.lock), fetched by apt through this
# machine's own sources with only the suite's name changed. The machine's apt state is not
# touched. Debian's patches are applied.
set -eu
LC_ALL=C
export LC_ALL
umask 022

kind=${1:?glibc, musl, musl-openssl or arm64} link=${2:?link}
libc=musl tls=mbedtls cross=
case $kind in
glibc) libc=glibc ;;
musl) ;;
musl-openssl) tls=openssl ;;
arm64) cross=aarch64-linux-gnu- ;;
*) echo "thirdparty.sh: no such kind: $kind" >&2; exit 2 ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
suite=trixie # Debian 13
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ampoule
jobs=${JOBS:-2}
# The compiler's version counts too: archives for link-time optimization need the same one.
recipe=$({ cat "$here/thirdparty.sh" "$here/sources.lock" "$here"/*.[ch]
	${cross}gcc --version | head -n 1; } | sha256sum | cut -c1-16)
final=$cache/$kind-$recipe

say() { printf 'deps: %s\n' "$*"; }
die() { printf 'deps: %s\n' "$*" >&2; exit 1; }
finish() { touch -c "$final" 2>/dev/null || :; mkdir -p "$(dirname "$link")" && ln -sfn "$final" "$link"; }

if [ -e "$final/versions" ]; then
	finish
	exit 0
fi

for tool in cmake ninja patch ${cross}gcc ${cross}gcc-ar $(test "$libc$cross" != musl || echo musl-gcc); do
	command -v "$tool" >/dev/null || die "no $tool here: run 'make deps'"
done
mkdir -p "$cache/sources" 2>/dev/null && test -w "$cache/sources" ||
	die "cannot write to $cache, where builds are kept; XDG_CACHE_HOME names another folder"
# One builder at a time; the second one finds the work done.
exec 9>"$cache/$kind.lock"
flock 9
if [ -e "$final/versions" ]; then
	finish
	exit 0
fi
rm -rf "$cache/$kind".?????? # left by a builder that was killed
work=$(mktemp -d "$cache/$kind.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
out=$work/out
mkdir -p "$out/include" "$out/lib"
log=$work/log

# --- fetching -----------------------------------------------------------------------------

# Debian's own entries of this machine (those whose suites are its codename), as deb-src
# entries of the other suite.
apt_sources() {
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	test -n "$codename" || die "no VERSION_CODENAME in /etc/os-release"
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		test -f "$f" || continue
		awk -v c="$codename" -v s="$suite" '
			$1 != "deb" && $1 != "deb-src" { next }
			{ opt = ""; i = 2
			  if ($2 ~ /^\[/) { do opt = opt $i " "; while ($(i++) !~ /\]$/) }
			  uri = $i; name = $(i + 1); main = 0
			  for (j = i + 2; j <= NF; j++) if ($j == "main") main = 1
			  if (!main || name !~ "^" c "(-updates|-security|/updates)?$") next
			  sub(c, s, name)
			  sub(/\/updates$/, "-security", name)
			  line = "deb-src " opt uri " " name " main"
			  if (!seen[line]++) print line }' "$f"
	done >"$work/apt/parts/machine.list"
	for f in /etc/apt/sources.list.d/*.sources; do
		test -f "$f" || continue
		sed '/^#/d' "$f" | awk -v c="$codename" -v s="$suite" '
			BEGIN { RS = ""; FS = "\n" }
			tolower($0) ~ /(^|\n)enabled:[ \t]*no/ { next }
			{ good = main = 0
			  for (i = 1; i <= NF; i++) {
				if ($i ~ /^Suites:/) {
					good = $i ~ "[ \t]" c "([ \t]|$)" ||
						$i ~ "[ \t]" c "-(security|updates)([ \t]|$)"
					gsub(c "-backports[^ \t]*", "", $i)
					gsub(c, s, $i)
				}
				if ($i ~ /^Components:/) { main = $i ~ /[ \t]main([ \t]|$)/; $i = "Components: main" }
				if ($i ~ /^Types:/) $i = "Types: deb-src"
			  }
			  if (good && main) { for (i = 1; i <= NF; i++) print $i; print "" } }'
	done >"$work/apt/parts/machine.sources"
	cat "$work/apt/parts"/* | grep -q deb-src ||
		die "no entry of Debian itself ($codename) in this machine's apt sources"
}

apt_prepare() {
	test ! -e "$work/apt/ready" || return 0
	mkdir -p "$work/apt/parts" "$work/apt/lists/partial" "$work/apt/archives/partial"
	apt_sources
	cat >"$work/apt/conf" <<-EOF
		Dir::Etc::SourceList "/dev/null";
		Dir::Etc::SourceParts "$work/apt/parts";
		Dir::State::Lists "$work/apt/lists";
		Dir::Cache "$work/apt";
		Dir::Cache::Archives "$work/apt/archives";
		APT::Sandbox::User "";
		Acquire::Retries "2";
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
	EOF
	say "reading the source lists of $suite"
	apt-get -q -c "$work/apt/conf" update >>"$log" 2>&1 ||
		say "not every list could be read; going on with the others"
	touch "$work/apt/ready"
}

lock() { awk -v p="$1" '$1 == p' "$here/sources.lock"; }

# have PACKAGE VERSION: all its files of the lock lie in the cache, with the right hash.
have() {
	lock "$1" | while read -r _ version _ file sum; do
		test "$version" != "$2" ||
			echo "$sum  $file" | (cd "$cache/sources" && sha256sum -c --status 2>/dev/null) ||
			exit 1
	done
}

# fetch PACKAGE: sets version to the first of the lock that can be had. A superseded version's
# control file may be gone while its tarballs stay, hence the files are taken one by one.
fetch() {
	first=
	for version in $(lock "$1" | awk '!seen[$2]++ { print $2 }'); do
		first=${first:-$version}
		if ! have "$1" "$version"; then
			apt_prepare
			rm -rf "$work/fetch" && mkdir "$work/fetch"
			(cd "$work/fetch" && apt-get -q -c "$work/apt/conf" source --download-only \
				"$1=$version") >>"$log" 2>&1 || true
			for f in $(lock "$1" | awk -v v="$version" '$2 == v { print $4 }'); do
				test ! -f "$work/fetch/$f" || mv "$work/fetch/$f" "$cache/sources/"
			done
		fi
		if have "$1" "$version"; then
			test "$version" = "$first" ||
				say "NOTE: $1 $first cannot be had here; taking $version, pinned too"
			return 0
		fi
	done
	apt-cache -c "$work/apt/conf" showsrc "$1" 2>/dev/null |
		grep -E '^Version|^ [0-9a-f]{64} .*(orig|debian)\.tar\.[a-z0-9]*$' >&2 || true
	tail -n 20 "$log" >&2
	die "$1: none of its versions in image/deps/sources.lock can be had (those on offer, and what apt
deps: said, are above). Without a network: apt's servers and its proxy stand in /etc/apt"
}

# unpack PACKAGE: into $work/PACKAGE, Debian's patches applied.
unpack() {
	fetch "$1"
	echo "$1 $version" >>"$work/versions"
	mkdir "$work/$1"
	for f in $(lock "$1" | awk -v v="$version" '$2 == v && $3 == "orig" { print $4 }'); do
		tar -xf "$cache/sources/$f" -C "$work/$1" --strip-components 1
	done
	for f in $(lock "$1" | awk -v v="$version" '$2 == v && $3 == "debian" { print $4 }'); do
		tar -xf "$cache/sources/$f" -C "$work/$1"
		for p in $(sed 's/#.*//' "$work/$1/debian/patches/series" 2>/dev/null); do
			patch -d "$work/$1" -p1 -f -s --no-backup-if-mismatch \
				<"$work/$1/debian/patches/$p" >>"$log" 2>&1 || die "$1: patch $p does not apply"
		done
		mkdir -p "$out/share"
		cp "$work/$1/debian/copyright" "$out/share/$1.copyright"
	done
}

# change FILE SED-SCRIPT: an edit that must change something.
change() {
	cp "$1" "$work/before"
	sed -i "$2" "$1"
	! cmp -s "$work/before" "$1" || die "$1: nothing to change for '$2'"
}

# --- building -----------------------------------------------------------------------------

hard='-fstack-protector-strong -fstack-clash-protection'
if [ "$libc" = musl ]; then
	# musl-gcc sees no kernel headers: a folder of links, searched last.
	mkdir "$out/kernel"
	headers=/usr/include asm=/usr/include/$(gcc -print-multiarch)/asm
	test -z "$cross" || headers=/usr/${cross%-}/include asm=/usr/${cross%-}/include/asm
	ln -s "$headers/linux" "$headers/asm-generic" "$asm" "$out/kernel/"
	cc=musl-gcc ar=${cross}gcc-ar ranlib=${cross}gcc-ranlib
	# No unwind tables: nothing here unwinds, and they are a tenth of a program.
	# Fat objects: test programs are linked without LTO, in a tenth of the time.
	cflags="-Oz -flto -ffat-lto-objects -ffunction-sections -fdata-sections -fPIC $hard"
	test -n "$cross" || cflags="$cflags -fcf-protection=none"
	cflags="$cflags -fno-asynchronous-unwind-tables -fno-unwind-tables -idirafter $out/kernel"
else
	# No LTO and with line numbers, for sanitizers and for clang's fuzzer.
	cc=gcc ar=ar ranlib=ranlib
	cflags="-O2 -g -fno-omit-frame-pointer -fPIC $hard"
fi
cflags="$cflags -ffile-prefix-map=$work=/deps"

# build PACKAGE CMAKE-OPTION…: configures, compiles, installs into $out.
build() {
	name=$1 begin=$(date +%s)
	cmake -S "$work/$name" -B "$work/$name.build" -G Ninja -Wno-dev \
		-DCMAKE_C_COMPILER="$cc" -DCMAKE_AR="$(command -v $ar)" \
		-DCMAKE_RANLIB="$(command -v $ranlib)" -DCMAKE_C_FLAGS="$cflags" \
		-DCMAKE_BUILD_TYPE=None -DCMAKE_INSTALL_PREFIX="$out" -DCMAKE_INSTALL_LIBDIR=lib \
		-DCMAKE_PREFIX_PATH="$out" -DBUILD_SHARED_LIBS=OFF -DBUILD_TESTING=OFF \
		${cross:+-DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64} "$@" >>"$log" 2>&1 &&
		cmake --build "$work/$name.build" -j "$jobs" >>"$log" 2>&1 &&
		cmake --install "$work/$name.build" >>"$log" 2>&1 || {
		tail -n 60 "$log" >&2
		die "$name does not build"
	}
	say "$name $version for $kind: $(($(date +%s) - begin)) s"
}

# plainly COMMAND…: a build without cmake, inside of $work/$name.
plainly() {
	(cd "$work/$name" && "$@") >>"$log" 2>&1 || {
		tail -n 60 "$log" >&2
		die "$name does not build"
	}
}

# musl with the compiler's wrapper, whose files name the folder where they will lie.
build_musl() {
	name=musl begin=$(date +%s)
	plainly ./configure --prefix="$out/musl" --disable-shared --enable-wrapper=gcc \
		CC="${cross}gcc" CROSS_COMPILE="$cross" CFLAGS="-Os -ffile-prefix-map=$work=/deps"
	plainly make -s -j "$jobs" install
	cc=$out/musl/bin/musl-gcc
	say "musl $version for $kind: $(($(date +%s) - begin)) s"
}

# What TLS 1.2 and 1.3 and lib/crypto need; nothing that only a command or an old peer wants.
build_openssl() {
	name=openssl begin=$(date +%s) without=
	# Its description of itself names neither this folder nor this hour.
	change "$work/openssl/util/mkbuildinf.pl" 's/"compiler: $cflags"/"compiler: musl-gcc"/'
	for feature in apps tests docs shared module engine dso async autoload-config comp dtls srp srtp \
		psk ts cms cmp ct gost idea camellia seed aria sm2 sm3 sm4 bf cast des rc2 rc4 md4 \
		mdc2 whirlpool rmd160 blake2 siphash siv scrypt ssl3 tls1 tls1_1 quic ui-console ocsp \
		rfc3779 dsa legacy slh-dsa ml-dsa ec2m weak-ssl-ciphers nextprotoneg; do
		without="$without no-$feature"
	done
	# shellcheck disable=SC2086 # lists of options
	plainly perl ./Configure linux-x86_64 --prefix=/deps --libdir=lib \
		--openssldir=/etc/ssl CC=musl-gcc AR=ar RANLIB=ranlib $without -Os -ffunction-sections \
		-fdata-sections -fPIC $hard -fcf-protection=none -ffile-prefix-map="$work=/deps" \
		-idirafter "$out/kernel"
	plainly env SOURCE_DATE_EPOCH=0 make -s -j "$jobs" build_libs
	plainly make -s install_dev DESTDIR="$work/installed"
	cp -R "$work/installed/deps/." "$out"
	say "openssl $version for $kind: $(($(date +%s) - begin)) s"
}

started=$(date +%s)
say "building the third-party libraries for $kind, once (about a minute; OpenSSL takes four)"
: >"$work/versions"

if [ -n "$cross" ]; then
	unpack musl
	build_musl
fi
if [ "$tls" = openssl ]; then
	unpack openssl
	build_openssl
else
	unpack mbedtls
	cp "$here/mbedtls_config.h" "$work/mbedtls/include/mbedtls/mbedtls_config.h"
	# GCM turns each block's bytes round, twice: one instruction (any processor with AES has
	# it) instead of a loop, and a third of what a record costs.
	test -n "$cross" || test "$(uname -m)" != x86_64 ||
		echo 'set_source_files_properties(aesni.c PROPERTIES COMPILE_OPTIONS "-O3;-mssse3")' \
			>>"$work/mbedtls/library/CMakeLists.txt"
	build mbedtls -DGEN_FILES=OFF -DENABLE_TESTING=OFF -DENABLE_PROGRAMS=OFF \
		-DMBEDTLS_FATAL_WARNINGS=OFF
fi

if [ "$libc" = musl ]; then
	unpack jansson
	build jansson -DJANSSON_BUILD_SHARED_LIBS=OFF -DJANSSON_BUILD_DOCS=OFF \
		-DJANSSON_WITHOUT_TESTS=ON -DJANSSON_EXAMPLES=OFF
	unpack libyaml
	cp "$here/libyaml_small.h" "$work/libyaml/src/"
	change "$work/libyaml/src/scanner.c" \
		'0,/^YAML_DECLARE(int)$/s//#include "libyaml_small.h"\n\n&/'
	build libyaml
	if [ "$kind" = musl ]; then # the others have no unit tests
		unpack cmocka
		build cmocka -DWITH_EXAMPLES=OFF -DUNIT_TESTING=OFF
	fi
fi

# HTTP, HTTPS, unix sockets, proxies, AWS SigV4, Basic authentication; the threaded resolver.
# Its messages of CURLOPT_VERBOSE go, the texts of curl_easy_strerror() stay.
off=
for name in ALTSVC BEARER_AUTH BINDLOCAL COOKIES DIGEST_AUTH DOH FORM_API GETOPTIONS GOPHER \
	HEADERS_API HSTS KERBEROS_AUTH LIBCURL_OPTION MIME NEGOTIATE_AUTH NETRC NTLM PARSEDATE \
	PROGRESS_METER RTSP \
	SHA512_256 SHUFFLE_DNS SRP VERBOSE_STRINGS WEBSOCKETS; do
	off="$off -DCURL_DISABLE_$name=ON"
done
for name in CURL_ZLIB CURL_BROTLI CURL_ZSTD USE_NGHTTP2 USE_LIBIDN2 CURL_USE_LIBPSL \
	CURL_USE_LIBSSH2 CURL_USE_PKGCONFIG BUILD_CURL_EXE BUILD_LIBCURL_DOCS \
	BUILD_MISC_DOCS ENABLE_CURL_MANUAL BUILD_EXAMPLES; do
	off="$off -D$name=OFF"
done
unpack curl
change "$work/curl/lib/strerror.c" 's/CURL_DISABLE_VERBOSE_STRINGS/CURL_NO_ERROR_TEXTS/'
# libc's printf instead of its own; and nobody here asks for the peer's certificate as text,
# chooses cipher suites by name or speaks HAProxy's protocol.
cp "$here/curl_mprintf.c" "$work/curl/lib/mprintf.c"
# Its strftime() would bring libc's time zones.
digits='"%04d%02d%02dT%02d%02d%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec'
change "$work/curl/lib/http_aws_sigv4.c" \
	"s/strftime(timestamp, sizeof(timestamp), .*, &tm)/msnprintf(timestamp, sizeof(timestamp), $digits)/"
change "$work/curl/lib/connect.c" 's/if(data->set.haproxyprotocol)/if(0)/'
vtls=$work/curl/lib/vtls/mbedtls.c
change "$vtls" 's/if(data->set.ssl.certinfo)/if(0)/'
change "$vtls" 's/if(conn_config->cipher_list || conn_config->cipher_list13)/if(0)/'
change "$vtls" 's/^ *mbed_cipher_suite_get_str(cipher_id,.*TRUE);/    (void)cipher_id, *cipher_str = 0;/'
with="-DCURL_USE_OPENSSL=ON -DCURL_DISABLE_OPENSSL_AUTO_LOAD_CONFIG=ON -DCURL_USE_MBEDTLS=OFF
	-DOPENSSL_ROOT_DIR=$out -DOPENSSL_USE_STATIC_LIBS=TRUE"
test "$tls" = openssl || with="-DCURL_USE_OPENSSL=OFF -DCURL_USE_MBEDTLS=ON
	-DMBEDTLS_INCLUDE_DIR=$out/include -DMBEDTLS_LIBRARY=$out/lib/libmbedtls.a
	-DMBEDX509_LIBRARY=$out/lib/libmbedx509.a -DMBEDCRYPTO_LIBRARY=$out/lib/libmbedcrypto.a"
# shellcheck disable=SC2086 # lists of options
build curl -DHTTP_ONLY=ON -DBUILD_STATIC_LIBS=ON \
	-DENABLE_THREADED_RESOLVER=ON -DENABLE_UNIX_SOCKETS=ON -DCURL_CA_BUNDLE=none \
	-DCURL_CA_PATH=none -DPICKY_COMPILER=OFF $off $with

test -z "$cross" || sed -i "s,$out,$final,g" "$out/musl/bin/musl-gcc" "$out/musl/lib/musl-gcc.specs"
rm -rf "$out/bin" "$out/lib/cmake" "$out/lib/pkgconfig" "$out/cmake"
mv "$work/versions" "$out/versions"
rm -rf "$final"
mv "$out" "$final" # from here on the cache has it, whole
# Older recipes' folders that no build has asked for in a month.
find "$cache" -maxdepth 1 -name "$kind-????????????????" -mtime +30 -exec rm -rf {} +
say "third-party libraries for $kind: $(($(date +%s) - started)) s in all, $(du -sh "$final" | cut -f1)"
finish
