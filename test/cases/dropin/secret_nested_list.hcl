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
  destination = "@W@/out/all"
  contents    = "{{ range secrets \"d2/app\" }}{{ . }}={{ with secret (printf \"d2/data/app/%s\" .) }}{{ .Data.data.v }}{{ end }}\n{{ end }}"
}
