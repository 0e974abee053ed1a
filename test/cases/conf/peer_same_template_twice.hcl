vault {}
template { contents = "x" destination = "/tmp/x" }
template { contents = "x" destination = "/tmp/x" perms = "0600" }
