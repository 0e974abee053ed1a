template { contents = "x" destination = "/s/x" notify = "http:8080/a b" }
