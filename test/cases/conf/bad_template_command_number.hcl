template { contents = "x" destination = "/s/x" command = ["a", 5] }
