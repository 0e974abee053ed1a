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
  destination = "@W@/out/env"
  contents    = "{{ with secret \"d2/data/db\" -}}\n{{ range $k, $v := .Data.data -}}\nexport {{ $k | toUpper }}=\"{{ $v }}\"\n{{ end }}{{ end }}"
}
