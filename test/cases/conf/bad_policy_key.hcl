policy { allow_path = ["x"] }
template { contents = "x" destination = "/s/x" }
