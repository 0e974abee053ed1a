auto_auth {
  method "cert" { wrap_ttl = "1m" }
  sink "file" {
    wrap_ttl = "1m"
    config { path = "/a" }
  }
}
