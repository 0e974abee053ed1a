store "vault" {
  type    = "vault"
  address = "https://bao.example:8200"
}
restrict {
  deny_paths = ["kv/**"]
}
