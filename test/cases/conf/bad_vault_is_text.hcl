vault = "http://x"
template { contents = "x" destination = "/s/x" }
