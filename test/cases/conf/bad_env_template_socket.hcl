deliver "web" { folder = "/v/web" }
env_template "A" { contents = "x" containers = ["web"] }
exec { command = ["a"] }
