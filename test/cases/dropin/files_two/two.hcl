vault {
  address = "@ADDR@"
}
exit_after_auth = true
template {
  destination = "@W@/out/b"
  contents    = "{{ with secret \"d2/data/db\" }}{{ .Data.data.user }}:{{ .Data.data.password }}{{ end }}"
}
