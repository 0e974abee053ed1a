# env VAULT_ADDR=http://third
# env BAO_ADDR=http://second
# env AMPOULE_CACERT=/first
# env VAULT_CACERT=/third
# env VAULT_SKIP_VERIFY=1
# env VAULT_CLIENT_TIMEOUT=5
# env VAULT_MAX_RETRIES=3
# env VAULT_LOG_LEVEL=debug
# env VAULT_LOG_FORMAT=json
# env VAULT_TLS_SERVER_NAME=
log_level = "error"
vault { address = "http://file" ca_cert = "/file" tls_server_name = "kept" retry { num_retries = 9 } }
template { contents = "x" destination = "/s/x" }
