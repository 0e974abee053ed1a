template {
  contents = "x"
  destination = "/s/x"
  notify = ["signal:HUP@app", "signal:sigusr1@process=nginx", "signal:15@pidfile=/run/x.pid", "signal:USR2@uid=1000",
            "signal:TERM@child", "http:8080/-/reload?a=b", "http:9000", "restart@app-2", "command:[\"/bin/r\", \"a, b\"]",
            "command:/bin/r -x 'two words'", "signal:34@app"]
  notify = "signal:HUP@app, http:8080/x,command:[\"a\",\"b\"] , restart@app"
}
template { contents = "x" destination = "/s/y" notify = "command:r 'a,b'" }
notify = "restart@web"
