template { contents = "x" destination = "/s/x" notify = "command:[]" }
