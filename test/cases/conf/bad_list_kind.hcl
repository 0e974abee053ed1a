template { contents = "x" destination = "/s/x" function_denylist = 5 }
