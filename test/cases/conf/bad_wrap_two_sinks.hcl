auto_auth {
  method "cert" { wrap_ttl = "1m" }
  sink "file" { config { path = "/a" } }
  sink "file" { config { path = "/b" } }
}
