// SPDX-License-Identifier: Apache-2.0
// High-water marks: the newest version of each entry that this process has opened. An older
// file that is put in place while the agent runs is refused, entry by entry; a wanted return
// to an older value is a new version ('ampoule seal rollback').
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct sealed_mark;
struct sealed_marks {
	struct sealed_mark *marks;
	size_t n, cap;
};

void sealed_marks_release(struct sealed_marks *m);

// For a successor of this process: {"path": 3, …}, NULL when there is none; and the way back
// (what is no number is left out).
json_t *sealed_marks_save(const struct sealed_marks *m);
void sealed_marks_load(struct sealed_marks *m, const json_t *saved);

// Notes the newest version that was opened; ERR_DENIED when a higher one was before.
// newest 0: the entry is not there at all; an error only when it was before.
MUST_CHECK bool sealed_marks_raise(struct sealed_marks *m, const char *path,
				   uint64_t newest, struct err *e);
