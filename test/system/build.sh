#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes kubeseal and gitleaks for the system tests, once, from their Go modules at these
# versions, and keeps them in the user's cache. Prints the folder that holds them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/tools.sh"
tools system "system-$(sha256sum <"$0" | cut -c1-16)"
from_go '' kubeseal=github.com/bitnami-labs/sealed-secrets/cmd/kubeseal@v0.27.1
from_go '' gitleaks=github.com/zricethezav/gitleaks/v8@v8.21.2
echo "$folder"
