vault {
  address = "@TLS@"
  ca_cert = "@W@/ca.pem"
  client_cert = "@W@/client.pem"
  client_key = "@W@/client.key"
}
auto_auth {
  method "cert" {
    config = {
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
