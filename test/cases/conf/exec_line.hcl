env_template "A" { contents = "x" }
exec { command = "/bin/app --serve 'two words'" }
