vault { timeout = 10 }
auto_auth { method "cert" { min_backoff = 2 max_backoff = "1m30s" wrap_ttl = 300 } sink "file" { config { path = "/t" } } }
template_config { static_secret_render_interval = 90 }
