vault {}
vault {}
template { contents = "x" destination = "/s/x" }
