policy "strict" {
  allow_paths = ["vault:secret/data/team/*"]
  deny_paths = "vault:secret/data/team/root, sys/*"
  deny_functions = ["env", "plugin"]
  read_dirs = ["/etc/ssl"]
  write_dirs = []
  allow_env = false
  allow_disk = true
  min_interval = "10s"
}
template { contents = "x" destination = "/s/x" }
