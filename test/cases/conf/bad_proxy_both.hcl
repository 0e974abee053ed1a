listener "tcp" { address = "127.0.0.1:1" }
cache { use_auto_auth_token = true }
api_proxy { use_auto_auth_token = "force" }
