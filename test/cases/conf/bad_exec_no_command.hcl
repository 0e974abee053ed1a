env_template "A" { contents = "x" }
exec { restart_stop_signal = "SIGTERM" }
