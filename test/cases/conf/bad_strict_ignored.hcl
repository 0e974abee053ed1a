# strict
log_file = "/x"
template { contents = "x" destination = "/s/x" }
