template_config { lease_renewal_threshold = 1.5 }
template { contents = "x" destination = "/s/x" }
