template { contents = "x" destination = "/s/x" notify = "signal:HUP@process=" }
