vault { address = "https://vault.example:8200" }
auto_auth { method "aws" { config = { type = "iam" role = "app" } } }
api_proxy { use_auto_auth_token = "force" enforce_consistency = "always" prepend_configured_namespace = true }
cache {
  persist "kubernetes" { path = "/vault/agent-cache" keep_after_import = true }
}
listener "tcp" { address = "127.0.0.1:8200" tls_disable = true require_request_header = true }
listener "unix" { address = "/run/agent.sock" socket_mode = "configure" }
listener "tcp" { address = "127.0.0.1:8201" tls_cert_file = "/c" tls_key_file = "/k" tls_min_version = "tls13" tls_cipher_suites = "x" }
