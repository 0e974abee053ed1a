template { contents = "x" destination = "/s/x" right_delimiter = "\"" }
