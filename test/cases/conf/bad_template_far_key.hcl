template { contents = "x" destination = "/s/x" color = "red" }
