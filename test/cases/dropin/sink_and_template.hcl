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
