// SPDX-License-Identifier: Apache-2.0
// POST /mutate without HTTP: the bytes of a review → a status and the bytes of the answer.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "webhook/settings.h"
#include "webhook/verdict.h"

// What the log and the metrics say of it.
struct mutate_note {
	const char
		*what; // a fixed word: "injected", "not asked", "refused", "bad review"
	char pod[320]; // namespace/name, or …/generateName*
	char reason[512]; // of a refusal, "" otherwise
	size_t warnings;
	bool dry_run;
	char namespace_[64];
};

// Nothing was answered: settings->world does not know the namespace of the note yet. It is to
// be asked for, and the review to be read again.
enum { MUTATE_ASK_NAMESPACE = 0 };

// 200 with a review in `to`, or another status with a line of text, or the above.
int mutate_review(const struct settings *s, const char *body, size_t len, struct buf *to,
		  struct mutate_note *note);
// The same, and what the policies say of the pod, which the caller releases.
int mutate_judged(const struct settings *s, const char *body, size_t len, struct buf *to,
		  struct mutate_note *note, struct verdict *verdict);
