vault { address = "https://vault.example:8200" }
auto_auth { method "token_file" { config = { token_file_path = "/run/token" } } }
env_template "DB_PASSWORD" {
  contents = "{{ with secret \"kv/db\" }}{{ .Data.data.password }}{{ end }}"
  error_on_missing_key = true
}
env_template "DB_USER" {
  contents = "{{ with secret \"kv/db\" }}{{ .Data.data.user }}{{ end }}"
}
exec {
  command = ["./app", "--serve"]
  restart_on_secret_changes = "always"
  restart_stop_signal = "SIGTERM"
}
