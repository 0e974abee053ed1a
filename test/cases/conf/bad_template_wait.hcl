template { contents = "x" destination = "/s/x" wait = "5s:1s" }
