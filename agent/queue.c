// SPDX-License-Identifier: Apache-2.0
// A list linked through the entries.
#include "agent/queue.h"

void queue_put(struct queue *q, struct entry *en)
{
	en->queued = true;
	en->wait_next = NULL;
	*q->end = en;
	q->end = &en->wait_next;
}

bool queue_take_out(struct queue *q, struct entry *en)
{
	struct entry **p = &q->first;
	while (*p && *p != en)
		p = &(*p)->wait_next;
	if (!*p)
		return false;
	*p = en->wait_next;
	if (!*p)
		q->end = p;
	en->queued = false;
	return true;
}

struct entry *queue_take_first(struct queue *q)
{
	struct entry *en = q->first;
	queue_take_out(q, en);
	return en;
}
