store "a:b" { type = "file" }
template { contents = "x" destination = "/s/x" }
