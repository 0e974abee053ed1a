log_level = "debug"
log_level = "error"
vault { address = "http://a" address = "http://b" }
template { contents = "x" destination = "/s/x" }
