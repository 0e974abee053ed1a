env_template "A=B" { contents = "x" }
exec { command = ["a"] }
