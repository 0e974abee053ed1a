deliver "a" { folder = "/v" uid = 4294967296 }
template { contents = "x" destination = "/s/x" }
