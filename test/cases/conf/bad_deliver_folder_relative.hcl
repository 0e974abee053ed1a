deliver "a" { folder = "v" }
template { contents = "x" destination = "/s/x" }
