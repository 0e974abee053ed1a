template { contents = 5 destination = "/s/x" }
