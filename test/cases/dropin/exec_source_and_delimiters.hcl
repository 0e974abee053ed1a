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
env_template "APP_USER" {
  source = "@W@/db.ctmpl"
}
env_template "APP_X" {
  contents = "<< print 1 2 >>"
  left_delimiter = "<<"
  right_delimiter = ">>"
}
exec {
  command = ["sh", "-c", "env | grep ^APP_ | sort > @W@/out/env"]
}
