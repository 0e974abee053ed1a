template { contents = "x" destination = "/s/x" wait = [1] }
