template {
  contents = "x"
  destnation = "/s/x"
}
