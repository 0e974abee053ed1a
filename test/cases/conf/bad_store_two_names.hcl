store "a" { type = "file" name = "b" }
template { contents = "x" destination = "/s/x" }
