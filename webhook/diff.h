// SPDX-License-Identifier: Apache-2.0
// What changed between two JSON documents, as an RFC 6902 patch: applied to `from` it gives
// `to`. Only what differs is named, in one order for the same input. Elements of arrays are
// told apart by "name", "mountPath" or "containerPort" when they are objects that have one,
// so that an inserted container is one "add" and no rewrite of those behind it.
#pragma once

#include <jansson.h>

// A new array of operations: add, replace and remove. Empty when both are equal.
json_t *diff_make(const json_t *from, const json_t *to);
