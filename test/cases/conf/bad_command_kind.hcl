template { contents = "x" destination = "/s/x" command = 5 }
