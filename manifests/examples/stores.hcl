# SPDX-License-Identifier: Apache-2.0
# What the operator adds to webhook.hcl (the ConfigMap ampoule-webhook, or the chart's value
# settings.extra) for the workloads beside this file. Pods name these stores; where they are and
# how one logs in stands here alone. aws, gcp, azure and conjur are not in this version's agent: the
# webhook says so when it loads them.
store "bao" {
  type    = "vault" # Vault or OpenBao
  address = "https://bao.example:8200"
  default = true
  auth "kubernetes" {
    mount_path = "auth/kubernetes"
  }
}

store "aws" {
  type   = "aws"
  region = "eu-central-1"
}

store "gcp" {
  type    = "gcp"
  project = "shop-prod"
}

store "azure" {
  type  = "azure"
  vault = "shop-prod"
}

store "conjur" {
  type    = "conjur"
  address = "https://conjur.example"
  account = "shop"
  auth "jwt" {
    mount_path = "kubernetes"
  }
}

store "sealed" {
  type     = "sealed"
  file     = "/vault/sealed/secrets.sealed"
  key_file = "/vault/custom/key.txt"
}
