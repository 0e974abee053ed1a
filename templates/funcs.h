// SPDX-License-Identifier: Apache-2.0
// The tables of functions, one a file; each ends with a row without a name.
#pragma once

#include "templates/func.h"

extern const struct func funcs_builtin[];
extern const struct func funcs_compare[];
extern const struct func funcs_store[];
extern const struct func funcs_env[];
extern const struct func funcs_text[];
extern const struct func funcs_codec[];
extern const struct func funcs_data[];
extern const struct func funcs_map[];
extern const struct func funcs_math[];
extern const struct func funcs_flow[];
extern const struct func funcs_quote[];
extern const struct func funcs_debug[];
extern const struct func funcs_absent[];
extern const struct func funcs_sprig_text[];
extern const struct func funcs_sprig_list[];
extern const struct func funcs_sprig_map[];
extern const struct func funcs_sprig_math[];
extern const struct func funcs_sprig_misc[];

// Methods of values, in the same form.
extern const struct func methods_scratch[];
extern const struct func methods_time[];
