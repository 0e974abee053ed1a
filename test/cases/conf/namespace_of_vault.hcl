vault { namespace = "team" }
auto_auth { method "cert" {} }
template { contents = "x" destination = "/s/x" }
