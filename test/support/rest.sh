#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the executables of one folder once, and prints the agent's memory and wake-ups at rest:
# one sealed secret, one template. usage: rest.sh FOLDER
set -eu
bin=$(cd "$1" && pwd)
dir=$(mktemp -d /dev/shm/ampoule-rest.XXXXXX)
agent=
trap 'test -z "$agent" || kill "$agent" 2>/dev/null || :; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

"$bin/ampoule" --version | sed 's/^/  /'
"$bin/ampoule-agent" --version | sed 's/^/  /'
public=$("$bin/ampoule" seal keygen --output "$dir/key" | grep -o 'age1[a-z0-9]*')
echo value | "$bin/ampoule" seal put --file "$dir/sealed" -r "$public" app/db 2>/dev/null
cat >"$dir/agent.hcl" <<EOF
status_socket = "$dir/sock"
store "sealed" {
  type     = "sealed"
  file     = "$dir/sealed"
  key_file = "$dir/key"
}
deliver "app" {
  folder = "$dir/app"
  mount  = "$dir/app"
}
template {
  contents    = "{{ with secret \"app/db\" }}{{ .Data.value }}{{ end }}"
  destination = "$dir/app/db"
}
EOF
"$bin/ampoule-agent" --config "$dir/agent.hcl" 2>"$dir/log" &
agent=$!
"$bin/ampoule-agent" --probe startup --wait --timeout 10s --socket "$dir/sock"
test "$(cat "$dir/app/db")" = value
sleep 3 # the agent gives unused pages back two seconds after its last pass
switches() {
	awk '/ctxt_switches/{n += $2} END{print n}' "/proc/$agent/status"
}
before=$(switches)
sleep 3
awk -v s=$(($(switches) - before)) '/^Rss:/{rss = $2} /^Private_Dirty:/{dirty = $2}
	END{printf "  agent at rest: RSS %d KiB, private dirty %d KiB, %d context switches in 3 s\n",
	rss, dirty, s}' "/proc/$agent/smaps_rollup"
kill "$agent"
wait "$agent"
agent=
