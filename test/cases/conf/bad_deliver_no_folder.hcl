deliver "a" { }
template { contents = "x" destination = "/s/x" }
