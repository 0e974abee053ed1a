#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rule: nothing in the tree depends on one machine: no home or work folder, no host name of a
# package registry, neither the public ones nor those that this machine is configured with.
# The home folders of the peers' images are part of their contract.
. "$(dirname "$0")/files.sh"

hosts=$({
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null
	python3 -m pip config list 2>/dev/null
	go env GOPROXY 2>/dev/null
} | grep -oE 'https?://[^/ ,|'"'"']+' | sed -E 's,^https?://([^@]*@)?,,; s/:.*//' | grep '\.' | sort -u | sed 's/\./\\./g' | paste -sd'|' -)
public='deb\.debian\.org|security\.debian\.org|pypi\.org|pythonhosted\.org|proxy\.golang\.org|registry\.npmjs\.org|crates\.io'
files | grep -v '^test/lint/places\.sh$' |
	xargs -r grep -InE "(^|[^a-zA-Z0-9_.-])/(home|root|work)/|$public${hosts:+|$hosts}" |
	sed -E 's,/home/(vault|openbao)([^a-z]|$),,g' |
	grep -E "(^|[^a-zA-Z0-9_.-])/(home|root|work)/|$public${hosts:+|$hosts}" |
	cut -c1-200 | complain
verdict
