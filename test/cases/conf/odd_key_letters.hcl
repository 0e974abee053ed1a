"a\nb\u001b[31m" = 1
template { contents = "x" destination = "/s/x" containers = [] }
