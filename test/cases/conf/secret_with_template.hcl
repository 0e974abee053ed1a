store "s" { type = "sealed" }
template { secret = "db" contents = "{{ .password }}" destination = "/s/a" }
template { secret = "db#password" destination = "/s/b" }
template { secret = "db" destination = "/s/c" }
template { secret = "db" stock = "env" destination = "/s/d" }
