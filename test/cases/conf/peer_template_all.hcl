vault {}
template {
  contents = <<-EOT
    user = {{ with secret "db/creds/app" }}{{ .Data.username }}{{ end }}
      indented
    EOT
  destination = "/etc/app/a.conf"
  create_dest_dirs = false
  perms = 0640
  user = "app"
  group = "1000"
  backup = true
  command = ["/bin/reload", "-q", "a, b"]
  command_timeout = "60s"
  error_on_missing_key = true
  error_fatal = false
  left_delimiter = "<<"
  right_delimiter = ">>"
  wait { min = "2s" max = "10s" }
  function_denylist = ["plugin", "env*"]
  sandbox_path = "/etc/app"
}
template {
  source = "/t/b.tmpl"
  destination = "/etc/app/b.conf"
  perms = "600"
  uid = 100
  gid = 1000
  wait = "3s"
  exec { command = "/bin/touch /run/b" timeout = "5s" splay = "2s" }
}
template {
  source = "/t/c.tmpl"
  destination = "/etc/app/c.conf"
  exec { command = ["/bin/true"] enabled = false }
  wait = "3s:4s"
  function_blacklist = ["timestamp"]
}
