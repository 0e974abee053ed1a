store { type = "file" }
template { contents = "x" destination = "/s/x" }
