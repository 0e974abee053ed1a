// SPDX-License-Identifier: Apache-2.0
// Entries that wait for their turn at a source; each is in one queue at most. Borrows them.
#pragma once

#include <stdbool.h>

#include "agent/entry.h"

struct queue {
	struct entry *first, **end; // end = &first when empty
};

void queue_put(struct queue *q, struct entry *en);
// Not from an empty one.
struct entry *queue_take_first(struct queue *q);
// False when it is not in there.
bool queue_take_out(struct queue *q, struct entry *en);
