vault {
  address = "@ADDR@"
}
auto_auth {
  method "token_file" {
    config = {
      token_file_path = "@W@/token"
    }
  }
}
template_config {
  exit_on_retry_failure = true
}
template {
  destination = "@W@/out/db"
  contents    = "{{ with secret \"d1/db\" }}{{ .Data.user }}:{{ .Data.password }}{{ end }}"
}
listener "tcp" {
  address = "127.0.0.1:@PORT@"
  tls_disable = true
  role = "metrics_only"
}
