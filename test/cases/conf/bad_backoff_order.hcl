auto_auth { method "cert" { min_backoff = "10m" } }
template { contents = "x" destination = "/s/x" }
