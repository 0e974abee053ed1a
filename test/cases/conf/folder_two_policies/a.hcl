policy { allow_env = false }
template { contents = "x" destination = "/s/x" }
