vault {}
template { contents = "x" destination = "out/x" }
