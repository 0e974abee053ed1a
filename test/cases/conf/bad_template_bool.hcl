template { contents = "x" destination = "/s/x" error_on_missing_key = "true" }
