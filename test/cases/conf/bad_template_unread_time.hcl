template { contents = "x" destination = "/s/x" unread_after = "soon:alarm" }
