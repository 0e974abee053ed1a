env_template "A" { contents = "x" perms = "0600" }
exec { command = ["a"] }
