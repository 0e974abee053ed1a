deliver "app" { folder = "/v/app" }
template { contents = "x" destination = "/etc/x" }
