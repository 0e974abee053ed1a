env_template "A" { contents = "x" }
exec { command = [] }
