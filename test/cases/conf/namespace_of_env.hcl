# env VAULT_NAMESPACE=reads
vault { address = "http://v:8200" }
auto_auth { method "cert" { namespace = "team" } }
template { contents = "x" destination = "/s/x" }
