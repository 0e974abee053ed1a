# env VAULT_ADDR=http://env
# env VAULT_LOG_LEVEL=debug
# flag address=http://flag
# flag log-level=trace
# flag tls-skip-verify=true
# flag log-file=/x
vault { address = "http://file" }
template { contents = "x" destination = "/s/x" }
