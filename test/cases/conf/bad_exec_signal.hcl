env_template "A" { contents = "x" }
exec { command = ["a"] restart_stop_signal = "SIGNONE" }
