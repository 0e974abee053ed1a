vault { timeout = 0 max_connections = 0 retry { num_retries = 0 } }
auto_auth { method "cert" { min_backoff = 0 max_backoff = 0 } }
template_config { static_secret_render_interval = 0 }
template { contents = "x" destination = "/s/x" command = "/bin/x" command_timeout = 0 }
