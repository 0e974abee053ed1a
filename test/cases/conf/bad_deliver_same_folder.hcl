deliver "a" { folder = "/v" }
deliver "b" { folder = "/v/b" }
template { contents = "x" destination = "/s/x" }
