template { contents = "x" destination = "/s/x" rotate_every = "monthly" }
