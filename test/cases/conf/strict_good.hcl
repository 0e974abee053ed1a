# strict
vault { address = "http://x" }
template { contents = "x" destination = "/s/x" }
