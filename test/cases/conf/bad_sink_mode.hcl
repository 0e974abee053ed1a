auto_auth { method "cert" {} sink "file" { config { path = "/a" mode = 640 } } }
