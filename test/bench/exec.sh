#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Exec mode of the static agent beside the real `bao agent`, in turns, against one real OpenBao:
# how long after the last answer of the store the command runs, and after a change again. Exit 1
# when the median of the first is above 20 ms, or either is not a fifth of the peer's.
# usage: exec.sh [--rounds N] [--bin FOLDER]
set -eu
cd "$(dirname "$0")/../.."
PATH=$(cd build/deps/venv && pwd -P)/bin:$PATH
PYTHONDONTWRITEBYTECODE=1
export PATH PYTHONDONTWRITEBYTECODE
exec timeout -k 10 600 python3 test/bench/exec_main.py "$@"
