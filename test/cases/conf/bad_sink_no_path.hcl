auto_auth { method "cert" {} sink "file" { config { mode = 0600 } } }
