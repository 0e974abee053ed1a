a b c d e f g h i j {}
template { contents = "x" destination = "/s/x" }
