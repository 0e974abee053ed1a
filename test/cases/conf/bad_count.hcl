vault { max_connections = 1.5 }
template { contents = "x" destination = "/s/x" }
