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
  destination = "@W@/out/a"
  contents    = "{{ with secret \"d1/db\" }}{{ .Data.user }}:{{ .Data.password }}{{ end }}"
  command = ["sh", "-c", "cat @W@/out/a @W@/out/b > @W@/out/ran"]
}
template {
  destination = "@W@/out/b"
  contents    = "{{ with secret \"d2/data/db\" }}{{ .Data.data.user }}:{{ .Data.data.password }}{{ end }}"
  command = ["sh", "-c", "cat @W@/out/a @W@/out/b > @W@/out/ran"]
}
