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
    config = {
      path = "@W@/out/token"
      mode = 0640
      uid = 65534
      gid = 65534
    }
  }
}
exit_after_auth = true
template_config {
  exit_on_retry_failure = true
}
