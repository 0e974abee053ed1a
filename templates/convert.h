// SPDX-License-Identifier: Apache-2.0
// Lenient conversions of the sprig functions: anything to text, to a number.
#pragma once

#include "lib/base/str.h"
#include "templates/run.h"

// The text of any value: a string as it is, else as %v prints it.
MUST_CHECK bool convert_text(struct run *r, const struct val *v, struct str *ret);
// 0 where there is no number in it.
int64_t convert_int(const struct val *v);
double convert_float(const struct val *v);
// Any list as strings; nil items are left out, a single value is a list of one.
MUST_CHECK bool convert_strings(struct run *r, const struct val *v, struct list **ret);
