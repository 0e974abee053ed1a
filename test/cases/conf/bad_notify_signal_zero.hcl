template { contents = "x" destination = "/s/x" notify = "signal:0@app" }
