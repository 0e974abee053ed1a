# SPDX-License-Identifier: Apache-2.0
# One Makefile, no recursion. Sources are found by wildcards; a folder of the layer table
# becomes one archive. TLS=openssl|mbedtls and LIBC=glibc|musl choose what is built; every
# combination has its own folder, build/<tls>-<libc>[-san|-fuzz|-cover|-debug].

VERSION := 0.1.0
TLS ?= openssl
LIBC ?= glibc
PREFIX ?= /usr/local
FUZZ_TIME ?= 60
$(if $(filter default,$(origin CC)),$(eval CC := gcc))
JOBS ?= $(shell nproc)
MAKEFLAGS += -j$(JOBS) --no-builtin-rules
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# --- layers: what each folder may include and link, in link order (top first) -------------
LAYERS := lib/base lib/loop lib/crypto lib/tls lib/http lib/conf lib/kube stores templates \
	agent webhook cmd
LIB := lib/kube lib/conf lib/http lib/tls lib/crypto lib/loop lib/base
DEPS.lib/base :=
DEPS.lib/loop := lib/base
DEPS.lib/crypto := lib/base
DEPS.lib/tls := lib/crypto lib/base
DEPS.lib/http := lib/tls lib/crypto lib/loop lib/base
DEPS.lib/conf := lib/base
DEPS.lib/kube := lib/http lib/tls lib/crypto lib/loop lib/base
DEPS.stores := $(LIB)
DEPS.templates := lib/crypto lib/base
DEPS.agent := stores templates $(LIB)
DEPS.webhook := $(LIB)
DEPS.cmd := agent webhook stores templates $(LIB)
PROGRAM.agent := ampoule-agent
PROGRAM.webhook := ampoule-webhook
PROGRAM.cmd := ampoule
# Parts of libraries that they have no use for are left out of the release (image/start/).
$(foreach l,agent cmd,$(eval ONLY.$l := client))$(eval ONLY.webhook := webhook)

# --- variants -----------------------------------------------------------------------------
$(if $(filter deps test demo help clean,$(MAKECMDGOALS))$(shell command -v $(firstword $(CC))),,\
	$(error no $(firstword $(CC)) here: 'make deps' installs what building and testing need))
WITH_DEPS := $(if $(filter deps test,$(MAKECMDGOALS)),install-deps,$(if $(filter demo,$(MAKECMDGOALS)),install-build))
VARIANTS := openssl-glibc mbedtls-glibc mbedtls-musl openssl-musl mbedtls-arm64 \
	$(foreach k,san fuzz cover debug,openssl-glibc-$k mbedtls-glibc-$k)
V := $(TLS)-$(LIBC)
$(if $(filter $V,$(VARIANTS)),,$(error TLS=$(TLS) LIBC=$(LIBC) is not supported yet; there are: $(VARIANTS)))

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes \
	-Wconversion -Wno-sign-conversion -Wformat=2 \
	$(if $(filter true 1,$(CI) $(WERROR)),-Werror)
CLANG := -Wno-gnu-zero-variadic-macro-arguments -Wno-string-conversion -Wno-string-concatenation
HARD := -fstack-protector-strong -fstack-clash-protection
ARCH := $(shell uname -m)
CET := $(if $(filter x86_64,$(ARCH)),-fcf-protection)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
PIE := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed,--gc-sections

CC.plain = $(CC)
CFLAGS.plain := -O2 -g -D_FORTIFY_SOURCE=3 $(HARD) $(CET) -fPIE
LDFLAGS.plain := $(PIE)
CC.san = $(CC)
CFLAGS.san := -O1 -g -fPIE -Wno-maybe-uninitialized $(SANITIZE)
LDFLAGS.san := $(PIE) $(SANITIZE)
CC.fuzz := clang
CFLAGS.fuzz := -O1 -g -fPIE -fsanitize=fuzzer-no-link $(SANITIZE)
LDFLAGS.fuzz := $(PIE) $(SANITIZE)
CC.cover := gcc
CFLAGS.cover := -O0 -g -fPIE --coverage
LDFLAGS.cover := $(PIE) --coverage
CC.debug := gcc # for lint, which looks at calls (hence no built-ins), and for valgrind
CFLAGS.debug := -O0 -g -fPIE -fno-builtin
LDFLAGS.debug := $(PIE)
include image/image.mk

# Third-party libraries: Debian's for openssl-glibc, else built once by image/deps.
EXT.openssl-glibc := -lcurl -lssl -lcrypto -ljansson -lyaml -lm -lpthread
EXT.mbedtls-glibc := -Lbuild/deps/glibc/lib -lcurl -lmbedtls -lmbedx509 -lmbedcrypto \
	-ljansson -lyaml -lm -lpthread
EXT.mbedtls-musl := $(subst glibc,musl,$(EXT.mbedtls-glibc))
EXT.mbedtls-arm64 := $(subst glibc,arm64,$(EXT.mbedtls-glibc))
EXT.openssl-musl := -Lbuild/deps/musl-openssl/lib $(EXT.openssl-glibc)
INC.mbedtls-glibc := -isystem build/deps/glibc/include
INC.mbedtls-musl := -isystem build/deps/musl/include
INC.mbedtls-arm64 := -isystem build/deps/arm64/include
INC.openssl-musl := -isystem build/deps/musl-openssl/include
$(foreach x,mbedtls-glibc=glibc mbedtls-musl=musl mbedtls-arm64=arm64 openssl-musl=musl-openssl,\
	$(eval STAMP.$(subst =, := build/deps/,$x).stamp))

# --- sources ------------------------------------------------------------------------------
# files LAYER, for both TLS libraries; stock templates are embedded from generated C.
GEN.templates := $(patsubst templates/%/embed.sh,build/gen/%.c,$(wildcard templates/*/embed.sh))
$(foreach l,$(LAYERS),$(eval SRC.$l := $(filter-out %/main.c,\
	$(wildcard $l/*.c $l/*/*.c)) $(GEN.$l)))
PROGRAMS := $(foreach l,$(LAYERS),$(if $(wildcard $l/main.c),$l))
UNITS := $(wildcard $(foreach l,$(LAYERS),test/unit/$l/*_test.c test/unit/$l/*/*_test.c))
FUZZERS := $(wildcard test/fuzz/*_fuzz.c)
SUPPORT := $(wildcard test/support/*.c)
PROGS := $(wildcard test/support/prog/*.c)
VERSIONED := $(shell grep -lsr AMPOULE_VERSION --include=*.c $(LAYERS))
# layer of a test: its path; of a fuzz target: the line "// links: LAYER" near its top.
$(foreach u,$(UNITS),$(foreach l,$(LAYERS),$(if $(filter test/unit/$l/%,$u),\
	$(eval LINKS.$(u:.c=) := $l))))
$(foreach f,$(shell awk 'FNR < 10 && /links: /{print FILENAME "=" $$3}' $(FUZZERS) $(PROGS) /dev/null),\
	$(eval LINKS.$(subst .c=, := ,$f)))
# objects VARIANT,SOURCES (without the other TLS library's); closure LAYER; archives V,LAYERS
# and without the heap that the kind of build does not use (lib/base/heap/heap.h)
other = $(if $(filter openssl%,$1),mbedtls,openssl)
heap = heap/$(if $(filter %-san %-fuzz %-debug,$1),guarded,system).c
objects = $(patsubst %.c,build/$1/obj/%.o,$(foreach s,$2,\
	$(if $(findstring /$(other)/,$s)$(findstring $(heap),$s),,$s)))
closure = $1 $(DEPS.$1)
# lib/base is linked whole with its own clock
support = $(filter-out $(if $(filter lib/base,$1),test/support/clock_fake.c),$(SUPPORT))
archives = $(foreach l,$2,$(if $(SRC.$l),build/$1/lib$(notdir $l).a))

# --- rules for one variant: $1 its name, $2 kind of build, $3 TLS and libc; $4 the thing -----
say = @$(if $(VERBOSE),,printf '  %-4s %s\n' $1 $@; )
define archive

build/$1/lib$(notdir $4).a: $(call objects,$1,$(SRC.$4)) build/$1/sources
	$$(call say,AR)rm -f $$@; $(or $(AR.$2),ar) rcs $$@ $$(filter %.o,$$^)
endef
define program

build/$1/bin/$(PROGRAM.$4): build/$1/obj/$4/main.o $(filter $(START_ONLY),build/$1/$(ONLY.$4)_only.o) $(call archives,$1,$(call closure,$4))
	$$(call say,LINK)mkdir -p $$(@D); $$(LINK.$1) $$^ $(EXT.$3) $$(LDEND.$2)
endef
define unit

build/$1/$4: build/$1/obj/$4.o $(patsubst %.c,build/$1/obj/%.o,$(call support,$(LINKS.$4))) \
	$(call archives,$1,$(call closure,$(LINKS.$4)))
	$$(call say,LINK)mkdir -p $$(@D); $$(LINK.$1) $$(filter %.o,$$^) -Wl,--whole-archive \
	 $(call archives,$1,$(LINKS.$4)) -Wl,--no-whole-archive \
	 $(call archives,$1,$(DEPS.$(LINKS.$4))) -lcmocka $(EXT.$3) $$(LDEND.$2)
endef
define fuzzer

build/$1/$4: build/$1/obj/$4.o $(if $(filter fuzz,$2),,build/$1/obj/test/fuzz/replay_main.o) \
	$(call archives,$1,$(call closure,$(LINKS.$4)))
	$$(call say,LINK)mkdir -p $$(@D); $$(LINK.$1) $(if $(filter fuzz,$2),-fsanitize=fuzzer) \
	 $$^ $(EXT.$3) $$(LDEND.$2)
endef
define prog

build/$1/test/prog/$(notdir $4): build/$1/obj/$4.o $(if $(LINKS.$4),$(call archives,$1,$(call closure,$(LINKS.$4))))
	$$(call say,LINK)mkdir -p $$(@D); $$(LINK.$1) $(if $(filter musl arm64,$2),-fno-lto) $$^ $(EXT.$3) $$(LDEND.$2)
endef
define variant
build/$1/flags build/$1/sources: FORCE | $(WITH_DEPS)
	@mkdir -p build/$1; $$(call note,$$@,$$(if $$(filter %/flags,$$@),$$(COMPILE.$1) $(VERSION),$(foreach l,$(LAYERS),$(SRC.$l))))
COMPILE.$1 = $$(CC.$2) -std=gnu17 -D_GNU_SOURCE $$(WARN) \
	$$(if $$(findstring clang,$$(CC.$2)),$$(CLANG)) $$(CFLAGS.$2) -I. $(INC.$3)
LINK.$1 = $$(CC.$2) -o $$@ $$(LDFLAGS.$2)
build/$1/obj/%.o: %.c build/$1/flags $(STAMP.$3) $(filter %-musl/relr.o,build/$1/relr.o)
	$$(call say,CC)mkdir -p $$(@D); $$(COMPILE.$1) \
	 $$(if $$(filter $$<,$$(VERSIONED)),-DAMPOULE_VERSION='"$(VERSION)"') -MMD -MP -c -o $$@ $$<
$(foreach l,$(LAYERS),$(if $(SRC.$l),$(call archive,$1,$2,$3,$l)))
$(foreach l,$(PROGRAMS),$(call program,$1,$2,$3,$l))
$(foreach u,$(UNITS:.c=),$(call unit,$1,$2,$3,$u))
$(foreach f,$(FUZZERS:.c=),$(call fuzzer,$1,$2,$3,$f))
$(foreach p,$(PROGS:.c=),$(call prog,$1,$2,$3,$p))
programs-$1: $(call archives,$1,$(LAYERS)) $(foreach l,$(PROGRAMS),build/$1/bin/$(PROGRAM.$l)) \
	$(PROGS:test/support/prog/%.c=build/$1/test/prog/%)
units-$1: $(UNITS:%.c=build/$1/%) $(FUZZERS:%.c=build/$1/%)
-include $(wildcard $(patsubst %.o,%.d,$(call objects,$1,$(foreach l,$(LAYERS),$(SRC.$l)) \
	$(PROGRAMS:%=%/main.c) $(UNITS) $(FUZZERS) $(SUPPORT) $(PROGS) test/fuzz/replay_main.c)))
endef
note = echo '$2' | cmp -s - $1 || echo '$2' >$1
kind = $(or $(word 3,$(subst -, ,$1)),$(filter musl arm64,$(subst -, ,$1)),plain)
$(foreach v,$(VARIANTS),$(eval $(call variant,$v,$(call kind,$v),$(word 1,$(subst -, ,$v))-$(word 2,$(subst -, ,$v)))))

# Third-party libraries and tools, kept in the user's cache.
THIRDPARTY := image/deps/thirdparty.sh image/deps/sources.lock $(wildcard image/deps/*.[ch])
build/deps/%.stamp: $(THIRDPARTY) | $(WITH_DEPS)
	@sh image/deps/thirdparty.sh $* build/deps/$* && touch $@
$(foreach c,glibc musl musl-openssl arm64,$(eval build/deps/$c.stamp: $(if $(wildcard build/deps/$c/versions),,FORCE)))
build/deps/venv.stamp: $(wildcard image/deps/requirements*.txt) image/deps/install.sh | $(WITH_DEPS)
	@sh image/deps/install.sh && touch $@
install-deps:
	@sh image/deps/install.sh
install-build:
	@sh image/deps/install.sh --build
build/gen/%.c: templates/%/embed.sh $(wildcard templates/*/*.tmpl templates/funcs_*.c)
	$(call say,GEN)mkdir -p $(@D); sh $< $(wildcard $(<D)/*.tmpl) >$@
.SECONDARY:
FORCE:

# --- what people call ---------------------------------------------------------------------
TESTS := $(UNITS:.c=) $(FUZZERS:.c=)
FUZZ_MBEDTLS := $(foreach f,$(FUZZERS:.c=),$(if $(filter lib/crypto lib/tls,$(LINKS.$f) \
	$(DEPS.$(LINKS.$f))),$f))
FUZZ_PROGRAMS := $(FUZZERS:%.c=build/openssl-glibc-fuzz/%) $(FUZZ_MBEDTLS:%=build/mbedtls-glibc-fuzz/%)
LAYER_TABLE := $(foreach l,$(LAYERS),$l: $(DEPS.$l);)
export JOBS
publish = mkdir -p $2; for p in $(PROGRAM.agent) $(PROGRAM.webhook) $(PROGRAM.cmd); do \
	if test -f $1/$$p; then cmp -s $1/$$p $2/$$p || { cp $1/$$p $2/.$$p && $3 $2/.$$p && mv $2/.$$p $2/$$p; }; \
	else rm -f $2/$$p; fi; done

.PHONY: $(foreach v,$(VARIANTS),programs-$v units-$v) FORCE install-deps install-build all static check test \
	system demo fuzz san lint format cover valgrind bench deps install clean help
all: programs-$V ## executables in build/bin/ (OpenSSL, glibc) or build/<tls>-<libc>/bin/
	@$(if $(filter openssl-glibc,$V),$(call publish,build/$V/bin,build/bin,:))
static: programs-mbedtls-musl ## the release build in build/static/: musl, static-PIE, mbedTLS
	@$(call publish,build/mbedtls-musl/bin,build/static,strip)
	@sh test/lint/static.sh && sh test/support/rest.sh build/static
check: all units-$V ## unit tests, cases and fuzz corpora of the chosen variant
	@sh test/support/run_units.sh $V $(TESTS:%=build/$V/%)
# check-base, check-loop, … check-agent: the unit tests of one layer, nothing else is built.
$(foreach l,$(LAYERS),$(eval check-$(notdir $l): \
	$(foreach t,$(TESTS),$(if $(filter $l,$(LINKS.$t)),build/$V/$t)) FORCE; \
	@sh test/support/run_units.sh $V $$(filter build/%,$$^)))
test: deps all image units-openssl-glibc units-mbedtls-glibc programs-mbedtls-glibc \
	units-openssl-glibc-san units-mbedtls-glibc-san lint-objects ## everything (under half an hour)
	@LAYER_TABLE='$(LAYER_TABLE)' CLANG_FLAGS='$(WARN) $(CLANG)' sh test/support/run_all.sh $(TESTS)
system: all build/deps/venv.stamp ## tests of whole programs against real servers and fakes
	@sh test/support/run_system.sh build/$V/bin
demo: all ## a rotation that is read, with a short timeline; needs no server
	@AMPOULE_BIN=build/$V/bin sh test/demo/demo.sh
fuzz: $(FUZZ_PROGRAMS) ## each fuzz target for FUZZ_TIME seconds, on both TLS libraries
	@sh test/support/run_fuzz.sh $(FUZZ_TIME) $(FUZZ_PROGRAMS)
san: units-openssl-glibc-san units-mbedtls-glibc-san ## unit tests and corpora under ASan and UBSan
	@sh test/support/run_units.sh openssl-glibc-san $(TESTS:%=build/openssl-glibc-san/%)
	@sh test/support/run_units.sh mbedtls-glibc-san $(TESTS:%=build/mbedtls-glibc-san/%)
lint-objects: $(foreach v,openssl-glibc-debug mbedtls-glibc-debug,programs-$v) static build/deps/musl.stamp
lint: lint-objects ## layers, doors, symbols, sizes, form (test/lint/)
	@LAYER_TABLE='$(LAYER_TABLE)' CLANG_FLAGS='$(WARN) $(CLANG)' sh test/lint/run.sh
format: ## let clang-format lay out every source file
	@git ls-files -co --exclude-standard '*.[ch]' | xargs -r clang-format -i
cover: units-openssl-glibc-cover programs-openssl-glibc-cover build/deps/venv.stamp ## line coverage in build/cover/
	@sh test/support/run_cover.sh openssl-glibc-cover $(TESTS:%=build/openssl-glibc-cover/%)
valgrind: units-openssl-glibc-debug programs-openssl-glibc-debug ## unit tests and the demo under valgrind
	@sh test/support/run_valgrind.sh openssl-glibc-debug $(TESTS:%=build/openssl-glibc-debug/%)
include test/e2e/e2e.mk
bench: all static ## the measurements of test/bench/, one after the other; bench-NAME runs one
	@for b in $(wildcard test/bench/*.sh); do echo "== $$b"; sh $$b || exit; done
bench-%: test/bench/%.sh all static FORCE
	@sh $<
deps: install-deps build/deps/glibc.stamp build/deps/musl.stamp build/deps/venv.stamp ## install and build what is missing
install: all ## into DESTDIR and PREFIX (with LIBC=musl TLS=mbedtls: the static executables)
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(if $(findstring musl,$V),-s) $(foreach l,$(PROGRAMS),build/$V/bin/$(PROGRAM.$l)) $(DESTDIR)$(PREFIX)/bin
clean: ## remove build/ (third-party libraries stay in the user's cache)
	rm -rf build
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile image/*.mk test/e2e/*.mk | awk -F'\t' '{printf "  make %-9s %s\n", $$1, $$2}'
	@echo '  with TLS=openssl|mbedtls LIBC=glibc|musl CC=gcc|clang VERBOSE=1 WERROR=1 FUZZ_TIME=60'
