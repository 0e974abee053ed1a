# env VAULT_STATUS_SOCKET=/no
# env AMPOULE_STATUS_SOCKET=/run/a.sock
# env AMPOULE_TERMINATION_LOG=/dev/termination-log
# env AMPOULE_START_TIMEOUT=90s
template { contents = "x" destination = "/s/x" }
