vault { retry { num_retries = -2 } }
template { contents = "x" destination = "/s/x" }
