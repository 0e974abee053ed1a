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
template_config {
  exit_on_retry_failure = true
}
exec {
  command = ["sh", "-c", "env | grep ^APP_ | sort > @W@/out/env"]
}
