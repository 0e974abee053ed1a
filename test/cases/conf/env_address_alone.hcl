# env VAULT_ADDR=http://v:8200
template { secret = "x" destination = "/s/x" }
