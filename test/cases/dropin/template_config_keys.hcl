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
exit_after_auth = true
template_config {
  exit_on_retry_failure = true
  static_secret_render_interval = "30s"
  max_connections_per_host = 4
  lease_renewal_threshold = 0.8
}
template {
  destination = "@W@/out/db"
  contents    = "{{ with secret \"d1/db\" }}{{ .Data.user }}:{{ .Data.password }}{{ end }}"
}
