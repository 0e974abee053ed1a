vault { timeout = -1 }
template { contents = "x" destination = "/s/x" }
