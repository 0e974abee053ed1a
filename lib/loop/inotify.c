// SPDX-License-Identifier: Apache-2.0
// One inotify instance, dispatched by inode. See inotify.h for the reason.
#include "lib/loop/inotify.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/loop/loop_int.h"

enum { READ_MAX = 16 * 1024 };

// In the table as long as it has a mark and the kernel's watch lives.
struct inode {
	int wd;
	bool gone; // no longer in the table
	struct inotify_mark *marks;
};

struct inotify_mark {
	struct loop_inotify *in;
	struct inode *inode;
	struct inotify_mark *next;
	uint32_t mask;
	bool ended;   // one-shot, and its event has come
	bool removed; // freed after the round
	inotify_mark_fn *fn;
	void *ctx;
};

struct loop_inotify {
	struct loop *loop;
	int fd;
	struct loop_fd *io;
	struct inode **table; // by rising wd: the kernel counts upwards
	size_t n, cap;
};

// Where wd is, or where it would stand.
static size_t table_slot(const struct loop_inotify *in, int wd)
{
	size_t low = 0, high = in->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (in->table[mid]->wd < wd)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct inode *table_find(const struct loop_inotify *in, int wd)
{
	size_t slot = table_slot(in, wd);
	return slot < in->n && in->table[slot]->wd == wd ? in->table[slot] : NULL;
}

static struct inode *table_get(struct loop_inotify *in, int wd)
{
	struct inode *node = table_find(in, wd);
	if (node)
		return node;
	node = mem_alloc(sizeof(*node));
	node->wd = wd;
	if (in->n == in->cap) {
		in->cap = in->cap ? 2 * in->cap : 16;
		in->table = mem_realloc(in->table, in->cap * sizeof(struct inode *));
	}
	size_t slot = table_slot(in, wd);
	memmove(in->table + slot + 1, in->table + slot,
		(in->n - slot) * sizeof(struct inode *));
	in->table[slot] = node;
	in->n++;
	return node;
}

static void table_drop(struct loop_inotify *in, struct inode *node)
{
	size_t slot = table_slot(in, node->wd);
	memmove(in->table + slot, in->table + slot + 1,
		(in->n - slot - 1) * sizeof(struct inode *));
	in->n--;
	node->gone = true;
}

static void tell(struct inotify_mark *m, uint32_t mask, const char *name)
{
	if (!m->removed && !m->ended)
		m->fn(m->ctx, mask, name);
}

// A callback may remove any mark: its memory and its `next` stay until the round has
// ended.
static void dispatch(struct inode *node, uint32_t mask, const char *name)
{
	for (struct inotify_mark *m = node->marks; m; m = m->next) {
		if (!(m->mask & mask & IN_ALL_EVENTS) && !(mask & IN_IGNORED))
			continue;
		bool ends = m->mask & IN_ONESHOT && !(mask & IN_IGNORED);
		tell(m, mask, name);
		m->ended = m->ended || ends;
	}
}

// Events were lost: everybody must look for himself. Marks may come and go meanwhile.
static void dispatch_overflow(struct loop_inotify *in)
{
	size_t n = 0, at = 0;
	for (size_t i = 0; i < in->n; i++)
		for (struct inotify_mark *m = in->table[i]->marks; m; m = m->next)
			n++;
	struct inotify_mark **all = mem_calloc(n, sizeof(struct inotify_mark *));
	for (size_t i = 0; i < in->n; i++)
		for (struct inotify_mark *m = in->table[i]->marks; m; m = m->next)
			all[at++] = m;
	for (size_t i = 0; i < n; i++)
		tell(all[i], IN_Q_OVERFLOW, "");
	mem_free(all);
}

static void handle(struct loop_inotify *in, const struct inotify_event *ev)
{
	if (ev->mask & IN_Q_OVERFLOW) {
		dispatch_overflow(in);
		return;
	}
	struct inode *node = table_find(in, ev->wd);
	if (!node) // an event from before the removal
		return;
	if (ev->mask & IN_IGNORED)
		table_drop(in, node);
	dispatch(node, ev->mask, ev->len ? ev->name : "");
}

// One bounded read a round; what is left makes the descriptor readable again.
static void on_inotify(void *ctx, int fd, unsigned events)
{
	(void)events;
	_Alignas(struct inotify_event) char bytes[READ_MAX];
	ssize_t n = read(fd, bytes, sizeof(bytes));
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *ev = (const void *)(bytes + at);
		handle(ctx, ev);
		at += (ssize_t)(sizeof(*ev) + ev->len);
	}
}

static bool open_instance(struct loop *l, int *ret_errno)
{
	if (l->inotify)
		return true;
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0) {
		*ret_errno = errno;
		return false;
	}
	struct loop_inotify *in = mem_alloc(sizeof(*in));
	*in = (struct loop_inotify){ .loop = l, .fd = fd };
	struct err e = ERR_INIT;
	if (!loop_fd_add(l, fd, LOOP_READ, on_inotify, in, &in->io, &e)) {
		*ret_errno = e.cause ? e.cause : EIO;
		close(fd);
		mem_free(in);
		return false;
	}
	l->inotify = in;
	return true;
}

void loop_inotify_release(struct loop *l)
{
	struct loop_inotify *in = l->inotify;
	if (!in)
		return;
	for (size_t i = 0; i < in->n; i++)
		mem_free(in->table[i]);
	mem_free(in->table);
	loop_fd_remove(in->io);
	close(in->fd);
	mem_free(in);
	l->inotify = NULL;
}

// The mask that serves the inode's marks and one more. One-shot only if all are.
static uint32_t united_mask(const struct inode *node, uint32_t mask)
{
	bool once = mask & IN_ONESHOT;
	for (const struct inotify_mark *m = node->marks; m; m = m->next) {
		mask |= m->mask & IN_ALL_EVENTS;
		once = once && m->mask & IN_ONESHOT;
	}
	return once ? mask : mask & ~(uint32_t)IN_ONESHOT;
}

// The kernel tells only here whether it knows the inode already, hence the first call
// must neither replace another mark's mask nor make its watch one-shot.
static int watch_inode(const struct loop_inotify *in, const char *path, uint32_t mask)
{
	uint32_t careful = (mask & ~(uint32_t)IN_ONESHOT) | IN_MASK_ADD;
	int wd = inotify_add_watch(in->fd, path, careful);
	if (wd < 0)
		return wd;
	const struct inode *node = table_find(in, wd);
	uint32_t all = node ? united_mask(node, mask) : mask;
	// It may name another inode by now: then that one is watched.
	return node || all & IN_ONESHOT ? inotify_add_watch(in->fd, path, all) : wd;
}

bool inotify_mark_add(struct loop *l, const char *path, uint32_t mask,
		      inotify_mark_fn *fn, void *ctx, struct inotify_mark **ret,
		      int *ret_errno)
{
	if (!open_instance(l, ret_errno))
		return false;
	struct loop_inotify *in = l->inotify;
	int wd = watch_inode(in, path, mask);
	if (wd < 0) {
		*ret_errno = errno;
		return false;
	}
	struct inotify_mark *m = mem_alloc(sizeof(*m));
	*m = (struct inotify_mark){ .in = in, .mask = mask, .fn = fn, .ctx = ctx };
	m->inode = table_get(in, wd);
	m->next = m->inode->marks;
	m->inode->marks = m;
	*ret = m;
	return true;
}

void inotify_mark_remove(struct inotify_mark *m)
{
	if (!m)
		return;
	struct loop_inotify *in = m->in;
	struct inode *node = m->inode;
	struct inotify_mark **at = &node->marks;
	while (*at != m)
		at = &(*at)->next;
	*at = m->next;
	m->removed = true;
	loop_bury(in->loop, m);
	if (node->marks)
		return; // the kernel's mask may stay too wide; dispatch() sorts it out
	if (!node->gone) {
		// Fails harmlessly for a one-shot watch that has fired.
		inotify_rm_watch(in->fd, node->wd);
		table_drop(in, node);
	}
	loop_bury(in->loop, node);
}

int inotify_mark_fired(struct inotify_mark *m, const char *path)
{
	if (m->ended || m->inode->gone)
		return m->ended ? 1 : -1;
	int wd = inotify_add_watch(m->in->fd, path, united_mask(m->inode, m->mask));
	if (wd == m->inode->wd)
		return 0;
	if (wd >= 0 && !table_find(m->in, wd))
		inotify_rm_watch(m->in->fd, wd);
	return wd >= 0 ? 1 : -1;
}
