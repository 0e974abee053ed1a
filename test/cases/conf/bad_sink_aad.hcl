auto_auth { method "cert" {} sink "file" { aad = "x" config { path = "/a" } } }
