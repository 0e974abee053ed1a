deliver "web" { folder = "/v/web" env_socket = "/v/web.sock" }
env_template "A" {
  contents = "[[ 1 ]]" left_delimiter = "[[" right_delimiter = "]]" error_on_missing_key = true
  function_denylist = ["env"] notify = "signal:HUP@child" containers = ["web"]
}
env_template { name = "B" source = "/t/b" wait = "1s:2s" }
env_template "C" { secret = "db#password" interval = "10s" }
exec {
  command = ["/bin/app", "", "-x"]
  restart_on_secret_changes = "never"
  restart_stop_signal = "SIGINT"
  restart_stop_timeout = "5s"
  child_process_stdout = "/tmp/out"
}
