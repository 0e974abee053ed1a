store "kv" {
  type    = "vault"
  address = "https://vault:8200"
  default = true
  namespace = "team"
  timeout = "5s"
  max_connections = 3
  retry { num_retries = -1 }
  auth "kubernetes" {
    role = "app"
    mount_path = "auth/k8s"
    min_backoff = "500ms"
  }
}
store "aws" {
  type   = "aws"
  region = "eu-west-1"
  tags   = ["a", "b"]
  assume { role_arn = "arn:aws:iam::1:role/x" }
}
store "local" {
  type = "sealed"
  file = "/etc/app/secrets.sealed"
  key_file = "/run/key"
  namespace = "team"
  min_generation = 7
}
template { secret = "aws:prod/db#password" destination = "/s/pw" }
