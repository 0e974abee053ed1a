store "a" { folder = "/x" }
template { contents = "x" destination = "/s/x" }
