store "a" { type = "file" default = true }
store "b" { type = "file" default = true }
template { contents = "x" destination = "/s/x" }
