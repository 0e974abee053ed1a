template { contents = "x" destination = "/s/x" wait { max = "1s" } }
