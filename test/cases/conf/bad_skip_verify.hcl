vault { tls_skip_verify = "yes" }
template { contents = "x" destination = "/s/x" }
