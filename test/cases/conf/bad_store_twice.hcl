store "a" { type = "file" default = true }
store "a" { type = "file" }
template { contents = "x" destination = "/s/x" }
