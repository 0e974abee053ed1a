on_revoked = 5
template { contents = "x" destination = "/s/x" }
