# SPDX-License-Identifier: Apache-2.0
# Strict: for namespaces whose pods get every secret from a store. Load it beside the baseline;
# say in `match` for whom it is. Where the webhook does not watch namespaces it cannot know their
# labels, and the policy is for all of them; then select by `namespaces` instead.
policy "strict" {
  owner = "platform security"

  match {
    namespace_labels = { "ampoule.dev/policy" = "strict" }
  }

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
    functions        = ["env", "mustEnv", "envOrDefault", "file", "plugin", "writeToFile", "executeTemplate"]
    store_namespaces = ["**"]
    paths            = ["sys/**", "auth/**", "identity/**"]
  }

  limits {
    min_interval = "30s"
    max_files    = 20
    max_template = "16Ki"
    max_ttl      = "24h"
  }
}
