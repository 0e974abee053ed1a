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
template {
  destination = "@W@/out/db"
  contents    = "{{ with secret \"d1/db\" }}{{ .Data.user }}:{{ .Data.password }}{{ end }}"
}
api_proxy {
  use_auto_auth_token = "force"
}
listener "unix" {
  address = "@W@/cache/agent.sock"
  tls_disable = true
}
