# env BAO_CLIENT_TIMEOUT=soon
vault {}
template { contents = "x" destination = "/s/x" }
