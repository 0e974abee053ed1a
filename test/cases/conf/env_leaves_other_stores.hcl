# env VAULT_ADDR=http://v:8200
store "local" { type = "sealed" file = "/x" }
template { secret = "x" destination = "/s/x" }
