template { contents = "x" destination = "/s/x" on_revoked = "delete" }
