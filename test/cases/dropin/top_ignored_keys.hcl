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
  destination = "@W@/out/db"
  contents    = "{{ with secret \"d1/db\" }}{{ .Data.user }}:{{ .Data.password }}{{ end }}"
}
log_file = ""
log_rotate_bytes = 1048576
log_rotate_duration = "24h"
log_rotate_max_files = 3
disable_idle_connections = ["auto-auth", "templating"]
disable_keep_alives = ["caching"]
telemetry {
  disable_hostname = true
  prometheus_retention_time = "24h"
}
