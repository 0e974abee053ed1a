auto_auth { method "cert" {} sink "file" { dh_path = "/k" config { path = "/a" } } }
