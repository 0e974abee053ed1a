deliver "a" { folder = "/v/1" }
deliver "a" { folder = "/v/2" mount = "/vault/secrets/sub" }
template { contents = "x" destination = "/s/x" }
