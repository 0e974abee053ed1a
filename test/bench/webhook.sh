#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The webhook beside a Go one on the same load; test/bench/webhook.py says what and how.
set -eu
go=build/deps/venv/bin/go
test -x "$go" || go=go
mkdir -p build/bench
"$go" build -o build/bench/webhook test/bench/webhook/main.go
exec build/deps/venv/bin/python3 test/bench/webhook.py "$@"
