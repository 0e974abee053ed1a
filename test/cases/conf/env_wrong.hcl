# env VAULT_SKIP_VERIFY=yes
vault {}
template { contents = "x" destination = "/s/x" }
