# flag log-level=loud
vault {}
template { contents = "x" destination = "/s/x" }
