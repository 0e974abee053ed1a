// SPDX-License-Identifier: Apache-2.0
// Calls that must succeed, or fail in one way, with the error's own words in the report.
// Include after cmocka.h. The call names the file's own `err`:
//
//	EXPECT_OK(x25519_generate(key, &err));
//	EXPECT_FAIL(ERR_DENIED, aead_open(&a, bytes, &to, &err));
#pragma once

#include "lib/base/err.h"

static struct err err;

#define EXPECT_OK(call)                                                                  \
	do {                                                                             \
		err_clear(&err);                                                         \
		if (!(call))                                                             \
			fail_msg("%s", err.text);                                        \
	} while (0)

#define EXPECT_FAIL(want, call)                                                          \
	do {                                                                             \
		err_clear(&err);                                                         \
		assert_false(call);                                                      \
		if (err.kind != (want))                                                  \
			fail_msg("%s: %s", err_kind_name(err.kind), err.text);           \
	} while (0)
