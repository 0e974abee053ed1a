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
      path = "@W@/out/none/token"
    }
  }
}
exit_after_auth = true
template_config {
  exit_on_retry_failure = true
}
