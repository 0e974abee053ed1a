// SPDX-License-Identifier: Apache-2.0
// Values as JSON, YAML and TOML documents, byte for byte as Go's encoding/json, yaml.v2 and
// BurntSushi/toml write them. A value that cannot be written is an error that names its
// type, never the value.
#pragma once

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "templates/value.h"

struct emit_json {
	bool pretty;    // two blanks a level
	bool unescaped; // leave <, > and & as they are
};

MUST_CHECK bool emit_json(struct buf *out, struct arena *a, const struct val *v,
			  struct emit_json how, struct err *e);
MUST_CHECK bool emit_yaml(struct buf *out, struct arena *a, const struct val *v,
			  struct err *e);
MUST_CHECK bool emit_toml(struct buf *out, struct arena *a, const struct val *v,
			  struct err *e);

enum { EMIT_DEPTH_MAX = 100 };
