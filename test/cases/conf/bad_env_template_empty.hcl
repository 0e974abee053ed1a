env_template "A" { }
exec { command = ["a"] }
