vault {}
template { contents = "x" destination = "/s/01" command = "pkill -HUP nginx" }
template { contents = "x" destination = "/s/02" command = "killall -s USR1 haproxy" }
template { contents = "x" destination = "/s/03" command = ["sh", "-c", "pkill -SIGHUP -x envoy || true"] }
template { contents = "x" destination = "/s/04" command = "/bin/sh -c 'kill -HUP $(cat /run/nginx.pid)'" }
template { contents = "x" destination = "/s/05" command = "kill -HUP $(pidof nginx)" }
template { contents = "x" destination = "/s/06" command = "kill -s TERM `pgrep -x app` 2>/dev/null; true" }
template { contents = "x" destination = "/s/07" command = ["/usr/bin/pkill", "--signal", "HUP", "app"] }
template { contents = "x" destination = "/s/08" command = "pkill app" }
template { contents = "x" destination = "/s/09" command = "kill -HUP 1" }
template { contents = "x" destination = "/s/10" command = "/bin/reload --fast 'a b'" }
template { contents = "x" destination = "/s/11" command = "cp /s/11 /x && pkill -HUP app" }
template { contents = "x" destination = "/s/12" command = "pkill -HUP -f 'java.*app'" }
template { contents = "x" destination = "/s/13" command = "pkill -F /run/app.pid -HUP" }
template { contents = "x" destination = "/s/14" command = "pkill -HUP -u 1000" }
template { contents = "x" destination = "/s/15" command = "" }
template { contents = "x" destination = "/s/16" command = [] }
template { contents = "x" destination = "/s/17" exec { command = "killall -HUP app" } }
