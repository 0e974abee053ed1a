env_template "A" { contents = "x" }
exec { command = ["a"] }
template { contents = "x" destination = "/s/x" }
