log_level = "loud"
template { contents = "x" destination = "/s/x" }
