log_level = debug
