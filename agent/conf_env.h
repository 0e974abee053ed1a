// SPDX-License-Identifier: Apache-2.0
// The configuration that stands in the environment: AMPOULE_CONFIG, then VAULT_CONFIG or
// BAO_CONFIG; plain (HCL or JSON) or in base64. AMPOULE_CONFIG may name a file instead, with
// what it must be, since one string of the environment has 128 KiB at most and a pod's
// annotation, which the downward API shows as a file, may be changed by others later:
//
//	AMPOULE_CONFIG=file:/ampoule/config/agent.json#sha256=HEX
#pragma once

#include <stdbool.h>

#include "lib/base/err.h"

// *ret is the caller's, to be wiped; NULL: there is none. Fails for a file that cannot be read
// or is another one.
bool conf_env_is_set(void);
MUST_CHECK bool conf_env_read(char **ret, struct err *e);
