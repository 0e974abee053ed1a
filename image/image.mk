# SPDX-License-Identifier: Apache-2.0
# The container image (image/pack.py), included by the Makefile. IMAGE is what the archive's
# names begin with; IMAGE_TAGS are further tags beside the version.
IMAGE ?= localhost/ampoule
IMAGE_TAGS ?= test
GOARCH := $(if $(filter aarch64,$(ARCH)),arm64,amd64)
pack = mkdir -p build/image && python3 image/pack.py --version $(VERSION)

.PHONY: image
image: static build/deps/venv.stamp ## the container image in build/image/, as an OCI (and Docker) archive
	@$(pack) --arch $(GOARCH) --bin build/static --deps build/deps/musl \
	 --name $(IMAGE):$(VERSION) $(IMAGE_TAGS:%=--name $(IMAGE):%) \
	 --out build/image/ampoule-$(VERSION)-$(GOARCH).tar
