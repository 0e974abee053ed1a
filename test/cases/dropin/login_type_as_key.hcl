vault {
  address = "@ADDR@"
}
auto_auth {
  method {
    type = "kubernetes"
    config = {
      role = "app"
      token_path = "@W@/sa-token"
    }
  }
}
exit_after_auth = true
template_config {
  exit_on_retry_failure = true
}
template {
  destination = "@W@/out/db"
  contents    = "{{ with secret \"d1/db\" }}{{ .Data.user }}:{{ .Data.password }}{{ end }}"
}
