template { contents = "x" destination = "/s/x" notify = ["restart@a", "restart"] }
