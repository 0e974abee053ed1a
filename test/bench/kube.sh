#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Pod starts with and without injection, and the agent's memory, in real pods of a real kubelet
# (as root). usage: make image && sh test/bench/kube.sh [N]
set -eu
cd "$(dirname "$0")/../.."
test -n "$(find build/image -name 'ampoule-[0-9]*.tar' 2>/dev/null)" || make image
exec sh test/e2e/run.sh --bench "${1:-20}"
