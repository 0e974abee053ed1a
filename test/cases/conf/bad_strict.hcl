# strict
zzz = 1
template { contents = "x" destination = "/s/x" }
