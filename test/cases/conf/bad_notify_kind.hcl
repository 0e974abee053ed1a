template { contents = "x" destination = "/s/x" notify = 5 }
