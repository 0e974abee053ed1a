template { contents = "y" destination = "/s/x" }
