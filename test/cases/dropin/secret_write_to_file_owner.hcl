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
  destination = "@W@/out/main"
  contents    = "{{ \"x\" | writeToFile \"@W@/out/side\" \"65534\" \"65534\" \"0440\" }}main"
}
