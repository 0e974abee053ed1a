template { contents = "x" destination = "/s/x" notify = "signal:HUP@uid=root" }
