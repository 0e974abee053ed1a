template { destination = "/s/x" }
