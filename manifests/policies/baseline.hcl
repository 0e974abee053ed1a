# SPDX-License-Identifier: Apache-2.0
# Baseline: what no namespace needs, and what would let a pod around everything else. Start here.
policy "baseline" {
  owner = "platform security"

  forbid {
    forged_mark   = true   # a pod that says it is injected, and has no agent
    changed_agent = true   # an agent changed or imitated by hand
    overrides     = true   # store address, TLS checks, agent image …: the operator's
    env_literals  = true   # a credential written into a manifest
    disk_volumes  = true   # secrets on a disk
    host_paths    = true   # the node's folders where other pods' secrets lie
    env_secrets   = "warn" # a Kubernetes Secret in the environment
  }

  deny {
    functions = ["plugin", "writeToFile", "executeTemplate"]
  }

  limits {
    min_interval = "10s"
    max_files    = 50
    max_template = "64Ki"
  }
}
