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
env_template "APP_USER" {
  contents = "{{ with secret \"d1/db\" }}{{ .Data.user }}{{ end }}"
}
