template { contents = "x" destination = "/s/x" containers = ["app"] }
