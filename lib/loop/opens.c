// SPDX-License-Identifier: Apache-2.0
// Who opened what: the raw events behind read receipts.
#include <errno.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "lib/base/mem.h"
#include "lib/loop/inotify.h"
#include "lib/loop/loop.h"

struct loop_opens {
	struct inotify_mark *mark;
	char *path;
	bool once, folder, ended;
	struct stat st; // when it was added
	loop_opens_fn *fn;
	void *ctx;
};

// Inode numbers are used again at once, hence time and size.
static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

// After an overflow the kernel can still tell whether a one-shot watch has fired, if the
// path names the same file as before. -1: it cannot.
static int fired(const struct loop_opens *h)
{
	struct stat st;
	if (h->folder || !h->once || stat(h->path, &st) != 0 || !same_file(&st, &h->st))
		return -1;
	return inotify_mark_fired(h->mark, h->path);
}

static void on_event(void *ctx, uint32_t mask, const char *name)
{
	struct loop_opens *h = ctx;
	if (mask & IN_Q_OVERFLOW) {
		int yes = fired(h);
		if (yes == 0)
			return;
		name = yes > 0 ? "" : NULL;
	} else if (!(mask & IN_OPEN) || mask & IN_ISDIR) {
		return;
	}
	if (h->ended)
		return;
	h->ended = h->once && name;
	h->fn(h->ctx, name);
}

bool loop_opens_add(struct loop *l, const char *path, bool once, loop_opens_fn *fn,
		    void *ctx, struct loop_opens **ret, struct err *e)
{
	struct stat st;
	if (stat(path, &st) != 0) {
		bool missing = errno == ENOENT || errno == ENOTDIR;
		return err_set(e, missing ? ERR_MISSING : ERR_CONFIG, errno,
			       "watch reads of '%s'", path);
	}
	struct loop_opens *h = mem_alloc(sizeof(*h));
	*h = (struct loop_opens){
		.once = once,
		.folder = S_ISDIR(st.st_mode),
		.st = st,
		.fn = fn,
		.ctx = ctx,
	};
	h->path = mem_strdup(path);
	// A folder's own opens would end a one-shot watch of the kernel.
	uint32_t mask = IN_OPEN | (once && !h->folder ? IN_ONESHOT : 0u);
	int cause = 0;
	if (!inotify_mark_add(l, path, mask, on_event, h, &h->mark, &cause)) {
		loop_opens_remove(h);
		bool none_left = cause == EMFILE || cause == ENFILE || cause == ENOSPC ||
				 cause == ENOMEM;
		return err_set(e, none_left ? ERR_LIMIT : ERR_CONFIG, cause,
			       "watch reads of '%s'%s", path,
			       none_left ? " (the node's inotify limit is met)" : "");
	}
	*ret = h;
	return true;
}

void loop_opens_remove(struct loop_opens *h)
{
	if (!h)
		return;
	inotify_mark_remove(h->mark);
	mem_free(h->path);
	mem_free(h);
}
