#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes opa from its Go module (go.mod beside this file), once for what that file says, and keeps
# it in the user's cache. The first time takes some minutes and says so. Prints the folder that
# holds it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/tools.sh"
tools elsewhere "elsewhere-$(cat "$here/go.mod" "$here/go.sum" | sha256sum | cut -c1-16)"
export GOFLAGS="${GOFLAGS:-} -tags=opa_no_oci" # policies come from files alone
from_go '' opa=github.com/open-policy-agent/opa
echo "$folder"
