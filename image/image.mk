# SPDX-License-Identifier: Apache-2.0
# Included by the Makefile: how the release executables are compiled and linked (kinds musl and
# arm64), and the container images made of them (image/pack.py). IMAGE is what the archive's
# names begin with; IMAGE_TAGS are further tags beside the version.
IMAGE ?= localhost/ampoule
IMAGE_TAGS ?= test

# Debian's musl-gcc -static-pie makes a dynamic program: the start files are named here.
MUSL := /usr/lib/$(ARCH)-linux-musl/
GCCLIB = $(eval GCCLIB := $$(dir $$(shell gcc -print-file-name=crtbeginS.o)))$(GCCLIB)
CC.musl := musl-gcc
AR.musl := gcc-ar
# No unwind tables (nothing unwinds) and packed relocations (image/start/relr.c): a fifth less.
SMALL := -Oz $(HARD) -fno-asynchronous-unwind-tables -fno-unwind-tables
CFLAGS.small := $(SMALL) -g -flto -ffat-lto-objects -ffunction-sections -fdata-sections -fPIE
CFLAGS.musl := $(CFLAGS.small) -idirafter build/deps/musl/kernel
LDFLAGS.small := $(SMALL) -flto-partition=one -flto -static -nostartfiles \
	-Wl,-pie,--wrap=pthread_create,--no-dynamic-linker,-z,text,-z,relro,-z,now,-z,noexecstack,--gc-sections
LDFLAGS.musl = $(LDFLAGS.small) -Wl,-z,pack-relative-relocs,-e,relr_start \
	build/$(word 2,$(subst /, ,$@))/relr.o $(MUSL)rcrt1.o $(MUSL)crti.o $(GCCLIB)crtbeginS.o
LDEND.musl = $(GCCLIB)crtendS.o $(MUSL)crtn.o
# arm64: Debian's cross compiler around a musl of our own (image/deps/thirdparty.sh).
CROSS := aarch64-linux-gnu-
MUSL.arm64 := build/deps/arm64/musl/lib/
GCCLIB.arm64 = $(eval GCCLIB.arm64 := $$(dir $$(shell $(CROSS)gcc -print-file-name=crtbeginS.o)))$(GCCLIB.arm64)
CC.arm64 := build/deps/arm64/musl/bin/musl-gcc
AR.arm64 := $(CROSS)gcc-ar
CFLAGS.arm64 := $(CFLAGS.small) -idirafter build/deps/arm64/kernel
LDFLAGS.arm64 = $(LDFLAGS.small) $(MUSL.arm64)rcrt1.o $(MUSL.arm64)crti.o $(GCCLIB.arm64)crtbeginS.o
build/mbedtls-arm64/bin/%: LINK.mbedtls-arm64 = sh image/link_arm64.sh $@ $(CC.arm64) $(LDFLAGS.arm64)
LDEND.arm64 = $(GCCLIB.arm64)crtendS.o $(MUSL.arm64)crtn.o
START_ONLY := $(foreach v,musl arm64,$(foreach w,client webhook,build/mbedtls-$v/$w_only.o))
build/%-musl/relr.o: image/start/relr.c build/%-musl/flags
	@musl-gcc -std=gnu17 $(SMALL) -fno-lto -fPIE -I. -c -o $@ $<
build/mbedtls-musl/%_only.o: image/start/%_only.c build/mbedtls-musl/flags
	@musl-gcc -std=gnu17 $(SMALL) -fno-lto -fPIE -I. -c -o $@ $<
build/mbedtls-arm64/%_only.o: image/start/%_only.c build/mbedtls-arm64/flags build/deps/arm64.stamp
	@$(CC.arm64) -std=gnu17 $(SMALL) -fno-lto -fPIE -I. -c -o $@ $<

GOARCH := $(if $(filter aarch64,$(ARCH)),arm64,amd64)
# pack ARCH,VARIANT,FOLDER,DEPS,TAG…,ARGUMENTS: the first tag names the archive
pack = @mkdir -p build/image && python3 image/pack.py --version $(VERSION) --arch $1 --variant $2 \
	--bin $3 --deps $4 $(foreach t,$5,--name $(IMAGE):$t) $6 --out build/image/ampoule-$(firstword $5)-$1.tar
EXECUTABLES := ampoule ampoule-agent ampoule-webhook

.PHONY: image image-openssl image-arm64 image-reproducible static-openssl static-arm64 install-arm64
image: static build/deps/venv.stamp ## the container image in build/image/, as an OCI (and Docker) archive
	$(call pack,$(GOARCH),mbedtls,build/static,build/deps/musl,$(VERSION) $(IMAGE_TAGS))
image-openssl: static-openssl build/deps/venv.stamp ## the same with OpenSSL 3.5 in the place of mbedTLS
	$(call pack,$(GOARCH),openssl,build/static-openssl,build/deps/musl-openssl,$(VERSION)-openssl)
image-arm64: static-arm64 build/deps/venv.stamp ## the same for arm64, made by a cross compiler and tried under qemu
	@SUITE=test/arm64 sh test/support/run_system.sh build/static
	$(call pack,arm64,mbedtls,build/static-arm64,build/deps/arm64,$(VERSION),--cross $(CROSS))
build/deps/arm64.stamp: | install-arm64
install-arm64:
	@sh image/deps/install.sh debian-arm64.txt
image-reproducible: ## builds the image twice, in other folders and at other times, and compares
	@sh image/reproducible.sh
static-openssl: $(EXECUTABLES:%=build/openssl-musl/bin/%)
	@$(call publish,build/openssl-musl/bin,build/static-openssl,strip)
static-arm64: $(EXECUTABLES:%=build/mbedtls-arm64/bin/%)
	@$(call publish,build/mbedtls-arm64/bin,build/static-arm64,$(CROSS)strip)
