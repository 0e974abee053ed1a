template { contents = "x" destination = "/s/x" notify = "http:0/x" }
