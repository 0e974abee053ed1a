template { contents = "x" destination = "/s/x" wait = "soon" }
