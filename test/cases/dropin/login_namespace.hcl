vault {
  address = "@ADDR@"
}
auto_auth {
  method "approle" {
    namespace = "team"
    config = {
      role_id_file_path = "@W@/role_id_ns"
    }
  }
}
exit_after_auth = true
template_config {
  exit_on_retry_failure = true
}
template {
  destination = "@W@/out/n"
  contents    = "{{ with secret \"nkv/n\" }}{{ .Data.v }}{{ end }}"
}
