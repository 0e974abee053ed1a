auto_auth { method "cert" { wrap_ttl = "1m" } }
template { contents = "x" destination = "/s/x" }
