vault {}
store "vault" { type = "vault" }
template { contents = "x" destination = "/s/x" }
