vault { address = ["http://a"] }
template { contents = "x" destination = "/s/x" }
