// SPDX-License-Identifier: Apache-2.0
// Structs that a template can hold: the store's answer and what is in it, certificates, and
// their fields in Go's order. Methods (scratch, time) are found in run.h's object_method().
#pragma once

#include "lib/base/str.h"
#include "templates/value.h"

struct val object_new(struct arena *a, enum object_type type, const json_t *json);
// The i-th field; false behind the last one, and for a nil pointer.
bool object_nth(struct arena *a, const struct val *v, size_t i, struct str *ret_name,
		struct val *ret);
