auto_auth { method "cert" {} sink "file" { config { path = "/a" } } sink "file" { config { path = "/a" } } }
