env_template "A" { contents = "x" }
env_template "A" { contents = "y" }
exec { command = ["a"] }
