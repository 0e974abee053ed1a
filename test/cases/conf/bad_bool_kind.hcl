vault { tls_skip_verify = 1.5 }
template { contents = "x" destination = "/s/x" }
