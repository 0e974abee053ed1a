template { contents = "x" destination = "/s/x" exec { commands = "a" } }
