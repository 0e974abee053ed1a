env_template "A" { contents = "x" }
exec { command = ["a"] restart_on_secret_changes = "sometimes" }
