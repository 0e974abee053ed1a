vault { timeout = -1.5 }
template { contents = "x" destination = "/s/x" }
