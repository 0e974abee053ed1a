deliver { folder = "/v" }
template { contents = "x" destination = "/vault/secrets/x" }
