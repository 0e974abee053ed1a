// SPDX-License-Identifier: Apache-2.0
// Admission warnings: what the user of kubectl reads beside the answer. Each is a sentence of
// at most NOTE_MAX bytes (the API server cuts longer ones), in the order in which they came,
// no two alike.
#pragma once

#include <jansson.h>

#include "lib/base/auto.h"

enum { NOTE_MAX = 256, NOTES_MAX = 24 };

// Makes a text that was cut, anywhere, UTF-8 again, without control letters.
void notes_tidy(char *text);
// `notes` is an array of strings; beyond NOTES_MAX the last one says that there are more.
void notes_add(json_t *notes, const char *fmt, ...) PRINTF_LIKE(2, 3);
