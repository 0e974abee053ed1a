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
  destination = "@W@/out/all.yaml"
  contents    = "{{ with secret \"d1/db\" }}{{ scratch.MapSet \"m\" \"db\" .Data }}{{ end }}{{ with secret \"d2/data/db\" }}{{ scratch.MapSet \"m\" \"two\" .Data.data }}{{ end }}{{ scratch.Get \"m\" | toYAML }}"
}
