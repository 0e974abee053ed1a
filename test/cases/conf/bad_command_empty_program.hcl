template { contents = "x" destination = "/s/x" command = ["", "x"] }
