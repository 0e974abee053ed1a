pidfile = "/x"
zzz = 1
vault { adress = "http://x" zzz = 1 }
auto_auth {
  enable_reauth_on_new_credentials = true
  retries = 4
  method "cert" { mountpath = "x" }
}
template_config { static_interval = "1m" }
template { contents = "x" destination = "/x" }
