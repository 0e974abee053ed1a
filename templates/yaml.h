// SPDX-License-Identifier: Apache-2.0
// What reading and writing YAML share: which value a plain scalar stands for (YAML 1.1 as
// yaml.v2 resolves it).
#pragma once

#include <stdbool.h>

#include "lib/base/str.h"
#include "templates/value.h"

enum yaml_tag {
	YAML_STR,
	YAML_NULL,
	YAML_BOOL,
	YAML_INT,
	YAML_FLOAT,
	YAML_TIME,
	YAML_MERGE
};

// *ret is a string for YAML_STR and YAML_TIME.
enum yaml_tag yaml_resolve(struct str s, struct val *ret);
// Base 60 numbers are strings here, but other parsers need the quotes.
bool yaml_is_base60(struct str s);
