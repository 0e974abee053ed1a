vault { timeout = [] }
template { contents = "x" destination = "/s/x" }
