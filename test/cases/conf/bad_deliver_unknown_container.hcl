deliver "app" { folder = "/v/app" }
template { contents = "x" destination = "/vault/secrets/x" containers = ["ap"] }
