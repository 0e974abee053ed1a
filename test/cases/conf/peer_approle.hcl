auto_auth {
  method {
    type = "approle"
    namespace = "team"
    config {
      role_id_file_path = "/etc/agent/role-id"
      secret_id_file_path = "/etc/agent/secret-id"
      remove_secret_id_file_after_reading = false
    }
  }
  sinks {
    sink {
      type = "file"
      wrap_ttl = "5m"
      config { path = "/run/token" mode = 0600 uid = 100 gid = 1000 }
    }
    sink "file" {
      dh_type = "curve25519"
      dh_path = "/run/reader.pub"
      aad = "reader"
      derive_key = true
      config = { path = "/run/token.enc" }
    }
  }
}
