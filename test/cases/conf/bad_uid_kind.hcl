deliver "a" { folder = "/v" uid = true }
template { contents = "x" destination = "/s/x" }
