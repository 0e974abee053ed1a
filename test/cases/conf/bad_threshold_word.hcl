template_config { lease_renewal_threshold = "most" }
template { contents = "x" destination = "/s/x" }
