deliver "app" { folder = "/v/app" }
template { contents = "x" destination = "/vault/secrets/a//b" }
