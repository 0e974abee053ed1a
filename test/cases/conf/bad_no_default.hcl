store "a" { type = "file" }
store "b" { type = "file" }
template { contents = "x" destination = "/s/x" }
