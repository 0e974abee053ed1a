// SPDX-License-Identifier: Apache-2.0
// Receipts: one open event a file, content and container.
#include "agent/observe.h"
#include "agent/audit.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

struct observer {
	struct loop *loop;
	const struct conf *conf;
	observer_unread_fn *unread;
	void *ctx;
	bool unavailable;
	unsigned long reads;
};

struct observer *observer_new(struct loop *l, const struct conf *conf,
			      observer_unread_fn *fn, void *ctx)
{
	struct observer *ob = mem_alloc(sizeof(*ob));
	ob->loop = l;
	ob->conf = conf;
	ob->unread = fn;
	ob->ctx = ctx;
	ob->unavailable = !conf->observe.enabled;
	return ob;
}

void observer_free(struct observer *ob)
{
	mem_free(ob);
}

static void told_read(struct observer *ob, struct place *p)
{
	const struct output *o = p->output;
	ob->reads++;
	p->read_ms = clock_mono_ms();
	p->unread = false;
	loop_timer_cancel(&p->unread_timer);
	// A read before the file was visible to anyone cannot be; a read before we took the
	// time can, by some microseconds.
	int64_t after = p->published_ms ? p->read_ms - p->published_ms : 0;
	audit(AUDIT_READ, LOG_STR("container", place_container(p)),
	      LOG_STR("file", o->conf->destination), LOG_OWNER(o),
	      LOG_STR("secrets", o->secrets), LOG_INT("generation", o->generation),
	      LOG_INT("after_ms", after));
}

static void on_open(void *ctx, const char *name)
{
	struct place *p = ctx;
	if (!name) // the kernel dropped events: say so rather than alarm falsely
		log_warn("read receipts may be missing: the kernel's event queue "
			 "overflowed",
			 LOG_STR("file", p->output->conf->destination));
	loop_opens_remove(p->opens);
	p->opens = NULL;
	told_read(p->observer, p);
}

void observer_watch(struct observer *ob, struct place *p, const char *path)
{
	struct err e = ERR_INIT;
	p->observer = ob;
	observer_forget(p);
	if (ob->unavailable)
		return;
	if (!loop_opens_add(ob->loop, path, true, on_open, p, &p->opens, &e)) {
		log_fail(LOG_WARN, &e, "receipts unavailable");
		ob->unavailable = true;
		return;
	}
	p->observed = true;
}

static void on_unread(void *ctx, struct loop_timer *t)
{
	struct place *p = ctx;
	struct observer *ob = p->observer;
	const struct output *o = p->output;
	int64_t own = o->conf->unread_after_ms;
	enum conf_unread what = own ? o->conf->on_unread : ob->conf->observe.on_unread;
	(void)t;
	p->unread = true;
	audit(AUDIT_UNREAD, LOG_STR("container", place_container(p)),
	      LOG_STR("file", o->conf->destination), LOG_OWNER(o),
	      LOG_STR("secrets", o->secrets), LOG_INT("generation", o->generation),
	      LOG_INT("after_ms", clock_mono_ms() - p->published_ms));
	ob->unread(ob->ctx, p, what);
}

void observer_published(struct observer *ob, struct place *p)
{
	int64_t after = p->output->conf->unread_after_ms;
	p->published_ms = clock_mono_ms();
	if (after == 0)
		after = ob->conf->observe.unread_after_ms;
	if (after > 0 && p->observed && p->read_ms == 0)
		loop_timer_in(ob->loop, &p->unread_timer, after, on_unread, p);
}

void observer_forget(struct place *p)
{
	loop_opens_remove(p->opens);
	p->opens = NULL;
	loop_timer_cancel(&p->unread_timer);
	p->observed = p->unread = false;
	p->published_ms = p->read_ms = 0;
}

bool observer_available(const struct observer *ob)
{
	return !ob->unavailable;
}

unsigned long observer_reads(const struct observer *ob)
{
	return ob->reads;
}
