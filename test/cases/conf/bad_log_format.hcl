log_format = 5
template { contents = "x" destination = "/s/x" }
