deliver "a" { folders = "/v" }
template { contents = "x" destination = "/s/x" }
