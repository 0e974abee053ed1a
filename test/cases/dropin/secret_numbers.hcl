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
  destination = "@W@/out/n"
  contents    = "{{ with secret \"d1/db\" }}{{ .Data.port }} {{ .Data.ratio }} {{ .Data.big }} {{ printf \"%d|%s|%v\" .Data.port .Data.port .Data.ratio }} {{ if .Data.zero }}true{{ end }} {{ .Data | toJSON }}\n{{ .Data | toYAML }}\n{{ .Data | toTOML }}{{ end }}"
}
