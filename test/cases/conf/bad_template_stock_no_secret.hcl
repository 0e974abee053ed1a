template { stock = "env" destination = "/s/x" }
