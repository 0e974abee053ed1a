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
  destination = "@W@/out/f0"
  contents    = "{{ with secret \"d2/data/db\" }}{{ .Data.data.user }}:{{ .Data.data.password }}{{ end }}"
}
template {
  destination = "@W@/out/f1"
  contents    = "{{ with secret \"d1/db\" }}{{ .Data.user }}:{{ .Data.password }}{{ end }}"
}
template {
  destination = "@W@/out/f2"
  contents    = "{{ with secret \"d2/data/db\" }}{{ .Data.data.user }}:{{ .Data.data.password }}{{ end }}"
}
template {
  destination = "@W@/out/f3"
  contents    = "{{ with secret \"d1/db\" }}{{ .Data.user }}:{{ .Data.password }}{{ end }}"
}
template {
  destination = "@W@/out/f4"
  contents    = "{{ with secret \"d2/data/db\" }}{{ .Data.data.user }}:{{ .Data.data.password }}{{ end }}"
}
template {
  destination = "@W@/out/f5"
  contents    = "{{ with secret \"d1/db\" }}{{ .Data.user }}:{{ .Data.password }}{{ end }}"
}
template {
  destination = "@W@/out/f6"
  contents    = "{{ with secret \"d2/data/db\" }}{{ .Data.data.user }}:{{ .Data.data.password }}{{ end }}"
}
template {
  destination = "@W@/out/f7"
  contents    = "{{ with secret \"d1/db\" }}{{ .Data.user }}:{{ .Data.password }}{{ end }}"
}
template {
  destination = "@W@/out/f8"
  contents    = "{{ with secret \"d2/data/db\" }}{{ .Data.data.user }}:{{ .Data.data.password }}{{ end }}"
}
template {
  destination = "@W@/out/f9"
  contents    = "{{ with secret \"d1/db\" }}{{ .Data.user }}:{{ .Data.password }}{{ end }}"
}
template {
  destination = "@W@/out/f10"
  contents    = "{{ with secret \"d2/data/db\" }}{{ .Data.data.user }}:{{ .Data.data.password }}{{ end }}"
}
template {
  destination = "@W@/out/f11"
  contents    = "{{ with secret \"d1/db\" }}{{ .Data.user }}:{{ .Data.password }}{{ end }}"
}
