// SPDX-License-Identifier: Apache-2.0
// Documents to values: parseJSON and parseYAML.
#pragma once

#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "templates/value.h"

// As Go's json.Unmarshal into an interface: numbers are float64. Errors name line and
// column, never a value.
MUST_CHECK bool read_json(struct arena *a, struct str text, struct val *ret,
			  struct err *e);
// As yaml.v2: YAML 1.1, maps with keys of any scalar type.
MUST_CHECK bool read_yaml(struct arena *a, struct str text, struct val *ret,
			  struct err *e);
