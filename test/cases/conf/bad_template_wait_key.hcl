template { contents = "x" destination = "/s/x" wait { min = "1s" most = "2s" } }
