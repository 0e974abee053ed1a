// SPDX-License-Identifier: Apache-2.0
// The queue of asks of a store that reads files.
#include "stores/ask_queue.h"

#include "lib/base/mem.h"

void ask_queue_init(struct ask_queue *q, struct loop *loop,
		    const struct ask_server *server, struct store *store)
{
	*q = (struct ask_queue){ .server = server, .store = store, .loop = loop };
	q->last = &q->first;
}

static void ask_free(struct ask *a)
{
	mem_free(a->path);
	mem_free(a);
}

static struct ask *take(struct ask_queue *q)
{
	struct ask *a = q->first;
	q->first = a->next;
	if (!q->first)
		q->last = &q->first;
	return a;
}

static void serve(void *ctx)
{
	struct ask_queue *q = ctx;
	const struct ask_server *server = q->server;
	struct store *store = q->store;
	struct err e = ERR_INIT;
	void *round = NULL;
	bool ok = server->begin(store, &round, &e);
	bool closed = false;
	q->closed = &closed;
	while (!closed && q->first) {
		struct ask *a = take(q);
		if (ok)
			server->answer(store, round, a);
		else
			a->done(a->ctx, NULL, &e);
		ask_free(a);
	}
	if (!closed)
		q->closed = NULL;
	server->end(round);
}

void ask_queue_add(struct ask_queue *q, const struct store_ask *ask, store_done_fn *done,
		   void *ctx)
{
	struct ask *a = mem_alloc(sizeof(*a));
	*a = (struct ask){ ask->verb, mem_strdup(ask->path), done, ctx, NULL };
	// While answering, the ask joins the round under way.
	if (!q->first && !q->closed)
		loop_later(q->loop, serve, q);
	*q->last = a;
	q->last = &a->next;
}

void ask_queue_release(struct ask_queue *q)
{
	if (!q->loop)
		return;
	if (q->closed)
		*q->closed = true;
	loop_later_cancel(q->loop, q);
	while (q->first)
		ask_free(take(q));
}
