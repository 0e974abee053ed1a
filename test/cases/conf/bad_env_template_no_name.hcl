env_template { contents = "x" }
exec { command = ["a"] }
