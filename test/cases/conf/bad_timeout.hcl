vault { timeout = "5 minutes" }
template { contents = "x" destination = "/s/x" }
