deliver "a" { folder = "/v" uid = -2 }
template { contents = "x" destination = "/s/x" }
