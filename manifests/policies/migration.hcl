# SPDX-License-Identifier: Apache-2.0
# Migration: refuses and warns nobody. Each finding is a line of the webhook's log, an annotation
# in the API server's audit log and a count in the metrics: who would be refused, and why.
policy "migration" {
  mode      = "audit"
  workloads = "audit"
  owner     = "platform security"

  require {
    inject = true
  }

  forbid {
    env_secrets      = true
    env_literals     = true
    secret_volumes   = true
    disk_volumes     = true
    host_paths       = true
    default_account  = true
    account_token    = true
    shared_processes = true
    forged_mark      = true
    changed_agent    = true
    overrides        = true
  }

  deny {
    functions = ["env", "mustEnv", "envOrDefault", "file", "plugin", "writeToFile", "executeTemplate"]
  }

  limits {
    min_interval = "30s"
    max_files    = 20
    max_template = "16Ki"
  }
}
