exit_after_auth = "true"
template { contents = "x" destination = "/s/x" }
