template { contents = "x" destination = "/s/x" perms = "04755" }
