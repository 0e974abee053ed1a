template { contents = "x" destination = "/s/x" unread_after = "10s:panic" }
