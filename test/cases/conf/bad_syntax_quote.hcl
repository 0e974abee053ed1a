log_level = "debug
vault {}
