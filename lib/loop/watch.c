// SPDX-License-Identifier: Apache-2.0
// Content watches. Each inode on the way to the content (folders, links, the file)
// carries a mark for its own end or move: so the swap of a link far up is noticed, and a
// busy folder of strangers (/tmp) wakes nobody. Only where something is missing are the
// names in the folders of the way watched.
//
// Marks are set, then the way is walked again: when both walks saw the same, nothing can
// have slipped between. Where inotify is not to be had, the same walk runs every 2 s.
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/loop/inotify.h"
#include "lib/loop/loop.h"
#include "lib/loop/walk.h"

enum {
	DUST_MS = 50,
	POLL_MS = 2000,
	TRIES = 4, // to see the same way twice while somebody changes it
	MARKS_MAX = 256,
};

#define MASK_SELF (IN_DELETE_SELF | IN_MOVE_SELF)
#define MASK_NAMES (IN_CREATE | IN_DELETE | IN_MOVE)
#define MASK_WRITES (IN_MODIFY | IN_CLOSE_WRITE)

struct hook {
	struct loop_watch *watch;
	struct inotify_mark *mark;
	char *name;    // only this entry of the folder counts; NULL: all
	uint32_t sure; // events that mean a change of content by themselves
};

struct hooks {
	struct hook **list;
	unsigned n, cap;
};

struct loop_watch {
	struct loop *loop;
	char *path;
	loop_watch_fn *fn;
	void *ctx;
	struct hooks *hooks;
	struct loop_timer timer; // the dust, or the next poll
	struct walk_picture last;
	bool sure;  // the content has changed, whatever the picture says
	bool blind; // something could not be marked: poll
	bool names; // the present walk marks names too
};

static void on_timer(void *ctx, struct loop_timer *t);

// The dust settles from the first event on: an endless writer cannot put the look off.
static void disturbed(struct loop_watch *w)
{
	int64_t at_ms = clock_mono_ms() + DUST_MS;
	if (!loop_timer_armed(&w->timer) || w->timer.at_ms > at_ms)
		loop_timer_at(w->loop, &w->timer, at_ms, on_timer, w);
}

static void on_mark(void *ctx, uint32_t mask, const char *name)
{
	struct hook *h = ctx;
	bool lost = mask & IN_Q_OVERFLOW;
	if (h->name && !lost && !(mask & IN_IGNORED) && strcmp(h->name, name) != 0)
		return;
	if (lost || mask & h->sure)
		h->watch->sure = true;
	disturbed(h->watch);
}

static void hooks_free(struct hooks *hs)
{
	if (!hs)
		return;
	for (unsigned i = 0; i < hs->n; i++) {
		inotify_mark_remove(hs->list[i]->mark);
		mem_free(hs->list[i]->name);
		mem_free(hs->list[i]);
	}
	mem_free(hs->list);
	mem_free(hs);
}

// 0, or why the inode cannot be marked.
static int hook_add(struct loop_watch *w, const char *path, uint32_t mask, uint32_t sure,
		    const char *name)
{
	struct hooks *hs = w->hooks;
	if (hs->n == MARKS_MAX)
		return ENOSPC;
	struct hook *h = mem_alloc(sizeof(*h));
	h->watch = w;
	h->sure = sure;
	int cause = 0;
	if (!inotify_mark_add(w->loop, path, mask | IN_DONT_FOLLOW, on_mark, h, &h->mark,
			      &cause)) {
		mem_free(h);
		// Gone meanwhile: the next walk sees that.
		return cause == ENOENT || cause == ENOTDIR ? 0 : cause;
	}
	h->name = mem_strdup(name);
	if (hs->n == hs->cap) {
		hs->cap = hs->cap ? 2 * hs->cap : 8;
		hs->list = mem_realloc(hs->list, hs->cap * sizeof(struct hook *));
	}
	hs->list[hs->n++] = h;
	return 0;
}

static void on_step(void *ctx, const struct walk_step *s)
{
	static const struct {
		uint32_t mask, sure;
	} of[] = {
		[WALK_DIR] = { MASK_SELF, 0 },
		[WALK_LINK] = { MASK_SELF | IN_ATTRIB, 0 },
		[WALK_FILE] = { MASK_SELF | IN_ATTRIB | MASK_WRITES, MASK_WRITES },
		[WALK_FOLDER] = { MASK_SELF | IN_ATTRIB | MASK_NAMES | MASK_WRITES,
				  IN_ATTRIB | MASK_NAMES | MASK_WRITES },
	};
	struct loop_watch *w = ctx;
	// ATTRIB tells of a link or file that was replaced: its link count has changed. A
	// folder that somebody holds open tells of its removal late: its parent is asked
	// too.
	uint32_t names = w->names || s->kind == WALK_MISSING || s->kind == WALK_FOLDER
				 ? MASK_NAMES
				 : 0;
	int cause = 0;
	if (s->kind != WALK_MISSING)
		cause = hook_add(w, s->path, of[s->kind].mask, of[s->kind].sure, NULL);
	if (cause == EACCES) // what we may not read: its parent tells when that changes
		names = MASK_NAMES | IN_ATTRIB;
	else if (cause)
		w->blind = true;
	if (names && hook_add(w, s->dir, names, 0, s->name) != 0)
		w->blind = true;
}

// Marks the way anew and takes its picture.
static void look(struct loop_watch *w, struct walk_picture *ret)
{
	bool settled = false;
	for (unsigned i = 0; i < TRIES && !settled; i++) {
		struct walk_picture first, marked;
		struct hooks *old = w->hooks;
		w->hooks = mem_alloc(sizeof(*w->hooks));
		w->blind = false;
		walk_path(w->path, NULL, NULL, &first);
		w->names = first.missing;
		walk_path(w->path, on_step, w, &marked);
		walk_path(w->path, NULL, NULL, ret);
		hooks_free(old); // after the new ones, so that shared inodes stay watched
		settled = walk_same(&first, &marked) && walk_same(&marked, ret);
	}
	if (!settled)
		disturbed(w);
	else if (w->blind) // on whole multiples: all polled watches share one wake-up
		loop_timer_at(w->loop, &w->timer,
			      (clock_mono_ms() / POLL_MS + 1) * POLL_MS, on_timer, w);
}

static void on_timer(void *ctx, struct loop_timer *t)
{
	(void)t;
	struct loop_watch *w = ctx;
	bool sure = w->sure;
	w->sure = false;
	struct walk_picture now;
	look(w, &now);
	bool changed = now.end != w->last.end || now.missing != w->last.missing;
	w->last = now;
	if (changed || (sure && !now.missing))
		w->fn(w->ctx, w->path);
}

bool loop_watch_add(struct loop *l, const char *path, loop_watch_fn *fn, void *ctx,
		    struct loop_watch **ret, struct err *e)
{
	if (path[strspn(path, "/")] == '\0' || strlen(path) >= PATH_MAX)
		return err_set(e, ERR_CONFIG, 0, "watch '%.64s': not a path", path);
	struct loop_watch *w = mem_alloc(sizeof(*w));
	*w = (struct loop_watch){ .loop = l, .fn = fn, .ctx = ctx };
	w->path = mem_strdup(path);
	look(w, &w->last);
	*ret = w;
	return true;
}

bool loop_watch_polls(const struct loop_watch *h)
{
	return h->blind;
}

void loop_watch_remove(struct loop_watch *h)
{
	if (!h)
		return;
	loop_timer_cancel(&h->timer);
	hooks_free(h->hooks);
	mem_free(h->path);
	mem_free(h);
}
