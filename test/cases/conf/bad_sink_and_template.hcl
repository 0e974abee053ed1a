vault { address = "https://x:8200" }
auto_auth {
  method "token_file" { config = { token_file_path = "/t" } }
  sink "file" { config = { path = "/run/x/token" } }
}
template {
  destination = "/run/x/token"
  contents = "x"
}
