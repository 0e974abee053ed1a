pid_file = "/tmp/pid"
vault { address = "http://127.0.0.1:8200" }
auto_auth {
  method "kubernetes" {
    mount_path = "auth/kubernetes"
    config = { role = "app" }
  }
  sink "file" { config = { path = "/tmp/token" mode = 0600 } }
}
template {
  contents = "{{ with secret \"kv/app\" }}{{ .Data.data.password }}{{ end }}"
  destination = "/tmp/out"
  perms = "0600"
  command = "pkill -HUP nginx"
}
