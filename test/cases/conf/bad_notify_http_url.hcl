template { contents = "x" destination = "/s/x" notify = "http://localhost:8080/x" }
