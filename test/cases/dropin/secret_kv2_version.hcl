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
}
template {
  destination = "@W@/out/db"
  contents    = "{{ with secret \"d2/data/db?version=1\" }}{{ .Data.data.user }}{{ end }}{{ with secret \"d2/db?version=1\" }}{{ .Data.metadata.version }}{{ end }}"
}
