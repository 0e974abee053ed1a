vault {}
template {
  contents = <<EOT
a
b
EOT
  destination = "/s/x"
}
