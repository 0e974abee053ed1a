log_level = "debug"
pid_file = "/run/a"
vault { address = "http://first" ca_cert = "/first" }
auto_auth { method "cert" {} }
template { contents = "1" destination = "/s/1" }
notify = "restart@a"
