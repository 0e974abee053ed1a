// SPDX-License-Identifier: Apache-2.0
// Names of templates/stock/*.tmpl.
#include "lib/conf/stock.h"

#include <stddef.h>

const char *const conf_stock_names[] = { "aws-credentials",
					 "dockerconfigjson",
					 "dotenv",
					 "env",
					 "ini",
					 "json",
					 "kubeconfig",
					 "mysql-cnf",
					 "nginx-tls",
					 "pem-bundle",
					 "pgpass",
					 "postgres-dsn",
					 "properties",
					 "rails",
					 "redis-acl",
					 "spring",
					 "yaml",
					 NULL };
