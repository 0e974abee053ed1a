vault { tls_skip_verify = "" timeout = 1.5 namespace = "" max_connections = "3" }
auto_auth { method "cert" { min_backoff = 0.25 } sink { config { path = "/t" uid = "100" mode = "0600" } } }
template_config { lease_renewal_threshold = 1 max_connections_per_host = 5 }
template { contents = "x" destination = "/s/1" perms = "" left_delimiter = "" right_delimiter = "" notify = ["restart@a, restart@b", "http:1/"] }
template { contents = "x" destination = "/s/2" unread_after = 1.5 wait = 2 function_denylist = "a, b" user = 1000 }
