deliver "app" { folder = "/v/app" uid = 1000 }
deliver "web" { folder = "/v/web" mount = "/etc/certs" }
deliver "web" { folder = "/v/web2" mount = "/vault/secrets" }
template "db" { secret = "kv/db" destination = "/vault/secrets/db" containers = ["app"] }
template "db-web" { secret = "kv/db2" destination = "/vault/secrets/db" containers = ["web"] }
template "cert" { contents = "x" destination = "/etc/certs/a/b.pem" perms = "0440" }
