template { contents = "x" }
