vault {
  address = "@ADDR@"
}
auto_auth {
  method "kubernetes" {
    wrap_ttl = "5m"
    config = {
      role = "app"
      token_path = "@W@/sa-token"
    }
  }
  sink "file" {
    config = {
      path = "@W@/out/login"
    }
  }
}
exit_after_auth = true
template_config {
  exit_on_retry_failure = true
}
