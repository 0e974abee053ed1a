vault {
  address = "@ADDR@"
}
auto_auth {
  method "approle" {
    config = {
      role_id_file_path = "@W@/role_id"
      secret_id_file_path = "@W@/secret_id_wrapped"
      secret_id_response_wrapping_path = "auth/approle/role/app/secret-id"
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
