template { contents = "x" destination = "/s/x" exec { command = "a" } exec { command = "b" } }
