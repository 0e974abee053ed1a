auto_auth {
  method "cert" {}
  method "jwt" {}
}
template { contents = "x" destination = "/s/x" }
