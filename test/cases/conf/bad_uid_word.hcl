deliver "a" { folder = "/v" uid = "root" }
template { contents = "x" destination = "/s/x" }
