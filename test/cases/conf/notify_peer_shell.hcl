vault {}
template { contents = "x" destination = "/s/01" command = "sh -c \"kill -HUP \\$(pgrep -o app)\"" }
template { contents = "x" destination = "/s/02" command = ["bash", "-lc", "killall -HUP app"] }
template { contents = "x" destination = "/s/03" command = "echo \"a \\\"b\\\" $HOME\"" }
template { contents = "x" destination = "/s/04" command = "echo \"a \\\"b\\\"\" c\\ d" }
template { contents = "x" destination = "/s/05" command = "kill -HUP $(cat relative.pid)" }
template { contents = "x" destination = "/s/06" command = "kill -HUP \"$(cat /run/x.pid)\"" }
template { contents = "x" destination = "/s/07" command = "kill -HUP app $(cat /run/x.pid)" }
template { contents = "x" destination = "/s/08" command = "pkill -HUP app other" }
template { contents = "x" destination = "/s/09" command = "pkill --signal=USR2 app" }
template { contents = "x" destination = "/s/10" command = "'open" }
template { contents = "x" destination = "/s/11" command = "pkill -HUP -F '/run/a,b.pid'" }
template { contents = "x" destination = "/s/12" command = "pkill -HUP -u root" }
template { contents = "x" destination = "/s/13" command = ";" }
template { contents = "x" destination = "/s/14" command = "kill -HUP $(pgrep a b c d)" }
template { contents = "x" destination = "/s/15" command = "reload; true" }
template { contents = "x" destination = "/s/16" command = "kill -s" }
