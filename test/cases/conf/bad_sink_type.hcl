auto_auth { method "cert" {} sink "memory" { config { path = "/a" } } }
