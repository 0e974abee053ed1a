store "vault" {
  type    = "vault"
  address = "https://bao.example:8200"
}
restrict "team-a" {
  allow_paths    = ["vault:kv/data/app/**"]
  deny_paths     = ["vault:kv/data/app/root"]
  except_paths   = ["vault:kv/data/app/root/own"]
  deny_functions = ["env*"]
  max_ttl        = "24h"
}
restrict "team-b" {
  mode            = "warn"
  allow_functions = ["secret"]
}
template {
  destination = "/x"
  contents    = "x"
}
