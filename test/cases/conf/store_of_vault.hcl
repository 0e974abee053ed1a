store "kv" { type = "vault" namespace = "team" auth "cert" {} }
template { secret = "x" destination = "/s/x" }
