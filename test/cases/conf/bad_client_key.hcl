vault { client_key = "/k" }
template { contents = "x" destination = "/s/x" }
