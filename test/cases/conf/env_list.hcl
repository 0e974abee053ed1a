# env AMPOULE_LOG_FORMAT=json
template { contents = "x" destination = "/s/x" }
