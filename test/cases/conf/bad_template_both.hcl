template { contents = "x" source = "/t" destination = "/s/x" }
