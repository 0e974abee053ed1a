vault {
  address = "@ADDR@"
}
auto_auth {
  method "kubernetes" {
    config = {
      role = "app"
      token_path = "@W@/sa-token"
    }
  }
  sink "file" {
    dh_type = "curve25519"
    dh_path = "@W@/dh.json"
    derive_key = true
    aad = "app"
    config = {
      path = "@W@/out/sealed"
    }
  }
}
exit_after_auth = true
template_config {
  exit_on_retry_failure = true
}
