deliver "My App" { folder = "/v" }
template { contents = "x" destination = "/s/x" }
