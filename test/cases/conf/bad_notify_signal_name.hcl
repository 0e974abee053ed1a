template { contents = "x" destination = "/s/x" notify = "signal:HUUP@app" }
