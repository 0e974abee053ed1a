// SPDX-License-Identifier: Apache-2.0
// Publication. In a volume a file is staged by content; whether it must be written or was
// there before this process started is found out at its first publication only.
#include "agent/publish.h"
#include "agent/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"

static bool stage(struct place *p, struct err *e)
{
	struct output *o = p->output;
	struct volume_file f = { .path = p->path,
				 .bytes = buf_str(&o->content),
				 .len = o->content.len,
				 .attr = o->attr,
				 .owner = p };
	bool keep = !p->published && volume_same(p->volume, &f);
	return volume_put(p->volume, &f, keep, e);
}

// An ordinary file is equal when its bytes and attributes are.
static bool plain_same(const struct place *p)
{
	const struct output *o = p->output;
	struct stat st;
	AUTO_BUF struct buf b = BUF_INIT(OUTPUT_MAX_BYTES);
	AUTO_CLOSE int fd = open(p->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       (st.st_mode & 07777) == o->attr.mode && file_read_fd(fd, &b, NULL) &&
	       (o->attr.uid == (uid_t)-1 || o->attr.uid == st.st_uid) &&
	       (o->attr.gid == (gid_t)-1 || o->attr.gid == st.st_gid) &&
	       buf_equal(&b, &o->content);
}

static void warn_disk(const struct place *p)
{
	struct statfs fs;
	if (statfs(p->path, &fs) == 0 && (unsigned long)fs.f_type != TMPFS_MAGIC &&
	    (unsigned long)fs.f_type != RAMFS_MAGIC)
		log_warn("secret written to a disk: use a memory file system (tmpfs)",
			 LOG_STR("file", p->path));
}

static bool plain_write(struct observer *ob, struct place *p, struct err *e)
{
	const struct output *o = p->output;
	if (o->conf->create_dest_dirs && !file_make_parents(p->path, e))
		return false;
	AUTO_FREE char *tmp = mem_printf("%s.ampoule-%d", p->path, (int)getpid());
	(void)!unlink(tmp);
	if (!file_create_at(AT_FDCWD, tmp, buf_str(&o->content), o->content.len, o->attr,
			    e))
		return false;
	if (o->conf->backup) {
		AUTO_FREE char *bak = mem_printf("%s.bak", p->path);
		unlink(bak);
		if (link(p->path, bak) != 0 && errno != ENOENT)
			log_warn("no backup kept", LOG_STR("file", bak));
	}
	observer_watch(ob, p, tmp);
	if (rename(tmp, p->path) == 0)
		return true;
	err_set(e, ERR_RETRY, errno, "replace '%s'", p->path);
	observer_forget(p);
	unlink(tmp);
	return false;
}

static void made_visible(const struct publish_env *env, struct place *p, bool was_same)
{
	p->published = true;
	if (was_same) // nothing that anybody could read anew
		return;
	observer_published(env->observer, p);
	p->output->notify_due = true;
	audit(AUDIT_PUBLISH, LOG_STR("container", place_container(p)),
	      LOG_STR("file", p->output->conf->destination), LOG_OWNER(p->output),
	      LOG_STR("secrets", p->output->secrets),
	      LOG_INT("generation", p->output->generation));
}

static bool publish_plain(const struct publish_env *env, struct place *p, struct err *e)
{
	bool first = !p->published;
	if (first && plain_same(p)) {
		made_visible(env, p, true);
		return true;
	}
	if (!plain_write(env->observer, p, e))
		return false;
	if (first)
		warn_disk(p);
	made_visible(env, p, false);
	return true;
}

static bool remove_place(struct place *p, struct err *e)
{
	observer_forget(p);
	p->published = false;
	if (p->volume) {
		volume_remove(p->volume, p->path);
		return true;
	}
	return unlink(p->path) == 0 || errno == ENOENT ||
	       err_set(e, ERR_RETRY, errno, "remove '%s'", p->path);
}

// What a volume's publication tells: a place's file is about to be seen.
struct made {
	struct observer *observer;
	struct place **places;
	size_t n;
};

static void on_made(void *ctx, void *owner, const char *path)
{
	struct made *m = ctx;
	struct place *p = owner;
	if (!p)
		return; // a token's sink: no template's file
	observer_watch(m->observer, p, path);
	m->places = mem_realloc(m->places, (m->n + 1) * sizeof(struct place *));
	m->places[m->n++] = p;
}

static void settle(struct output *o)
{
	if (o->removing) {
		o->state = OUTPUT_REMOVED;
		o->notify_due = true;
		audit(AUDIT_REMOVE, LOG_STR("file", o->conf->destination), LOG_OWNER(o),
		      LOG_STR("secrets", o->secrets));
	} else if (o->changed) {
		o->state = OUTPUT_HELD;
		if (o->n_places == 0) // a variable; without a notify the restart tells
			o->notify_due = o->conf->n_notify > 0;
	}
	o->changed = o->removing = false;
}

// Places of outputs that this volume has made visible (or found equal).
static void settle_volume(const struct publish_env *env, struct volume *v,
			  const struct made *m)
{
	for (size_t i = 0; i < m->n; i++)
		made_visible(env, m->places[i], false);
	for (size_t i = 0; i < env->n_outputs; i++) {
		struct output *o = env->outputs[i];
		for (size_t k = 0; k < o->n_places; k++)
			if (o->places[k].volume == v && o->changed)
				o->places[k].published = true;
	}
}

static bool publish_volume(const struct publish_env *env, struct volume *v, struct err *e)
{
	struct made m = { .observer = env->observer };
	bool ok = volume_publish(v, on_made, &m, e);
	if (ok)
		settle_volume(env, v, &m);
	else
		for (size_t i = 0; i < m.n; i++)
			observer_forget(m.places[i]);
	mem_free(m.places);
	return ok;
}

// Stages one output everywhere, or writes its ordinary file.
static bool publish_output(const struct publish_env *env, struct output *o, struct err *e)
{
	for (size_t i = 0; i < o->n_places; i++) {
		struct place *p = &o->places[i];
		if (o->removing ? !remove_place(p, e)
		    : p->volume ? !stage(p, e)
				: !publish_plain(env, p, e))
			return err_wrap(e, "template '%s'", o->name);
	}
	return true;
}

static bool touches(const struct output *o, const struct volume *v)
{
	for (size_t i = 0; i < o->n_places; i++)
		if (o->places[i].volume == v)
			return true;
	return false;
}

static void blame(const struct publish_env *env, const struct volume *v,
		  const struct err *why)
{
	for (size_t i = 0; i < env->n_outputs; i++) {
		struct output *o = env->outputs[i];
		if ((o->changed || o->removing) && touches(o, v))
			o->error = *why;
	}
}

bool publish_all(const struct publish_env *env, struct err *e)
{
	for (size_t i = 0; i < env->n_outputs; i++) {
		struct output *o = env->outputs[i];
		struct err why = ERR_INIT;
		if ((o->changed || o->removing) && !publish_output(env, o, &why)) {
			o->error = why;
			err_set(e, why.kind, 0, "%s", why.text);
		}
	}
	for (struct volume *const *v = env->volumes; *v; v++) {
		struct err why = ERR_INIT;
		if (volume_dirty(*v) && !publish_volume(env, *v, &why)) {
			blame(env, *v, &why);
			err_set(e, why.kind, 0, "%s", why.text);
		}
	}
	for (size_t i = 0; i < env->n_outputs; i++)
		if (env->outputs[i]->error.kind == ERR_NONE || env->outputs[i]->removing)
			settle(env->outputs[i]);
	return !e || e->kind == ERR_NONE;
}

void publish_roll_back(struct output *o)
{
	struct buf refused = o->content;
	if (o->generation < 2 || o->rolled_back)
		return;
	for (size_t i = 0; i < o->n_deps; i++)
		if (*o->deps[i]->lease_id)
			return; // the credential before is dead, or dies soon
	o->content = o->previous;
	o->previous = refused;
	char *secrets = o->secrets;
	o->secrets = o->previous_secrets;
	o->previous_secrets = secrets;
	o->rolled_back = true;
	o->generation++;
	o->changed = true;
	audit(AUDIT_ROLLBACK, LOG_STR("file", o->conf->destination),
	      LOG_STR("secrets", o->secrets));
}
