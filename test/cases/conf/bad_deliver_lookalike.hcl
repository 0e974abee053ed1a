deliver "app" { folder = "/v/app" }
template { contents = "x" destination = "/vault/secrets2/x" }
