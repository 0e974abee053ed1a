template_config { lease_renewal_threshold = true }
template { contents = "x" destination = "/s/x" }
