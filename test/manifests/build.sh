#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes helm and kustomize from their Go modules (go.mod beside this file), once for what that
# file says, and keeps them in the user's cache. The first time takes some minutes and says so.
# promtool comes from Debian's package of Prometheus, unpacked into the cache and not installed,
# so that no service starts. Prints the folder that holds them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/tools.sh"
tools manifests "manifests-$(cat "$here/go.mod" "$here/go.sum" | sha256sum | cut -c1-16)"
from_debian prometheus usr/bin/promtool
from_go '' kustomize=sigs.k8s.io/kustomize/kustomize/v5 helm=helm.sh/helm/v3/cmd/helm
echo "$folder"
