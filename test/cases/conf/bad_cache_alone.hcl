vault {}
auto_auth { method "cert" {} sink "file" { config { path = "/t" } } }
cache { use_auto_auth_token = true }
