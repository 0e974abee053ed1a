# The usual shape of an agent on a machine.
pid_file = "/run/agent.pid"

vault {
  address = "https://vault.example:8200"
  ca_cert = "/etc/ssl/vault.pem"
  retry {
    num_retries = 5
  }
}

auto_auth {
  method "kubernetes" {
    mount_path = "auth/kubernetes"
    config = {
      role = "app"
    }
  }
  sink "file" {
    config = {
      path = "/run/token"
    }
  }
}

template {
  source      = "/etc/agent/db.tmpl"
  destination = "/etc/app/db.conf"
}
