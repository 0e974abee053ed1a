template { contents = "x" destination = "/s/x" }
template { contents = "y" destination = "/s/x" }
