vault "x" {}
template { contents = "x" destination = "/s/x" }
