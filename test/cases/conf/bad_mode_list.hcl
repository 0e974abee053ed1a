template { contents = "x" destination = "/s/x" perms = [6] }
