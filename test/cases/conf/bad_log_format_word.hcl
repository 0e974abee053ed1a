log_format = "xml"
template { contents = "x" destination = "/s/x" }
