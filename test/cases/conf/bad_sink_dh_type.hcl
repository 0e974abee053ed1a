auto_auth { method "cert" {} sink "file" { dh_type = "rsa" dh_path = "/k" config { path = "/a" } } }
