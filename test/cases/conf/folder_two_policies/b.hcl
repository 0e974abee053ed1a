policy { allow_env = true }
