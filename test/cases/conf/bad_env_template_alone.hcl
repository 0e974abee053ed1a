env_template "A" { contents = "x" }
