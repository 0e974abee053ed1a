// SPDX-License-Identifier: Apache-2.0
// Outputs: where the application's path lies, and with which mode and owner.
#include "agent/output.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum { PLAIN_MODE = 0644 };

static bool wants_container(const struct conf_template *t, const char *container)
{
	if (!t->containers)
		return true;
	for (const char *const *c = t->containers; *c; c++)
		if (strcmp(*c, container) == 0)
			return true;
	return false;
}

static struct place *add_place(struct output *o)
{
	o->places = mem_realloc(o->places, (o->n_places + 1) * sizeof(*o->places));
	struct place *p = &o->places[o->n_places++];
	*p = (struct place){ .output = o };
	return p;
}

static bool find_places(struct output *o, struct volume *const *volumes, struct err *e)
{
	const char *to = o->conf->destination;
	if (!to)
		return true; // a variable
	for (struct volume *const *v = volumes; *v; v++) {
		const char *path = volume_path_of(*v, to);
		if (!path || !wants_container(o->conf, volume_container(*v)))
			continue;
		if (!file_path_ok(path, e))
			return err_wrap(e, "destination '%s'", to);
		struct place *p = add_place(o);
		p->volume = *v;
		p->path = mem_strdup(path);
	}
	if (o->n_places > 0)
		return true;
	if (volumes[0])
		return err_set(
			e, ERR_CONFIG, 0,
			"destination '%s' lies under the mount of no container that "
			"the template names (nothing is written outside of `deliver`)",
			to);
	add_place(o)->path = mem_strdup(to);
	return true;
}

bool output_user_id(const char *name, uid_t *ret, struct err *e)
{
	uint64_t n;
	if (!name)
		return true;
	if (str_uint64(name, &n, NULL) && n < UINT32_MAX) {
		*ret = (uid_t)n;
		return true;
	}
	const struct passwd *pw = getpwnam(name);
	if (!pw)
		return err_set(e, ERR_CONFIG, 0,
			       "user '%s' is not known here: give its number", name);
	*ret = pw->pw_uid;
	return true;
}

bool output_group_id(const char *name, gid_t *ret, struct err *e)
{
	uint64_t n;
	if (!name)
		return true;
	if (str_uint64(name, &n, NULL) && n < UINT32_MAX) {
		*ret = (gid_t)n;
		return true;
	}
	const struct group *gr = getgrnam(name);
	if (!gr)
		return err_set(e, ERR_CONFIG, 0,
			       "group '%s' is not known here: give its number", name);
	*ret = gr->gr_gid;
	return true;
}

static unsigned default_mode(const struct output *o)
{
	struct stat st;
	const struct place *p = &o->places[0];
	if (o->n_places == 0)
		return 0;
	if (p->volume)
		return volume_default_mode(p->volume);
	// The peer keeps the mode of a file that is there already.
	return stat(p->path, &st) == 0 ? st.st_mode & 0777 : PLAIN_MODE;
}

bool output_new(const struct conf_template *conf, struct volume *const *volumes,
		struct output **ret, struct err *e)
{
	struct output *o = mem_alloc(sizeof(*o));
	o->conf = conf;
	o->name = conf->name ? conf->name : conf->destination;
	o->content.max = o->previous.max = OUTPUT_MAX_BYTES;
	o->secrets = mem_strdup("");
	o->previous_secrets = mem_strdup("");
	o->dirty = true;
	o->attr = (struct file_attr){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
	if (!find_places(o, volumes, e) || !output_user_id(conf->user, &o->attr.uid, e) ||
	    !output_group_id(conf->group, &o->attr.gid, e)) {
		output_free(o);
		return err_wrap(e, "template '%s'",
				conf->name ? conf->name : conf->destination);
	}
	o->attr.mode = conf->has_mode ? conf->mode : default_mode(o);
	for (size_t i = 0; i < o->n_places; i++) {
		struct place *p = &o->places[i];
		o->existed |= p->volume ? volume_adopt(p->volume, p->path, p)
					: access(p->path, F_OK) == 0;
	}
	*ret = o;
	return true;
}

void output_free(struct output *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->n_places; i++) {
		loop_opens_remove(o->places[i].opens);
		loop_timer_cancel(&o->places[i].unread_timer);
		mem_free(o->places[i].path);
	}
	loop_watch_remove(o->source_watch);
	tmpl_free(o->tmpl);
	buf_release(&o->content);
	buf_release(&o->previous);
	mem_free(o->denied);
	mem_free(o->places);
	mem_free(o->deps);
	mem_free(o->secrets);
	mem_free(o->previous_secrets);
	buf_release(&o->fresh);
	output_conf_free(o->own_conf);
	mem_free(o);
}

void output_conf_free(struct conf_template *c)
{
	if (!c)
		return;
	mem_free((char *)(uintptr_t)c->destination);
	mem_free((char *)(uintptr_t)c->user);
	mem_free((char *)(uintptr_t)c->group);
	mem_free(c);
}

bool output_needs(const struct output *o, const struct entry *en)
{
	for (size_t i = 0; i < o->n_deps; i++)
		if (o->deps[i] == en)
			return true;
	return false;
}

bool output_waits(const struct output *o)
{
	for (size_t i = o->n_deps; i > 0; i--)
		if (o->deps[i - 1]->state == ENTRY_NEW &&
		    o->deps[i - 1]->error.kind == ERR_NONE)
			return true;
	return false;
}

void output_add_dep(struct output *o, struct entry *en)
{
	if (output_needs(o, en))
		return;
	if (o->n_deps == o->cap_deps) {
		o->cap_deps = o->cap_deps ? o->cap_deps * 2 : 4;
		o->deps = mem_realloc(o->deps, o->cap_deps * sizeof(struct entry *));
	}
	o->deps[o->n_deps++] = en;
}

bool output_read(const struct output *o, struct buf *to)
{
	const struct place *p = &o->places[0];
	AUTO_FREE char *path =
		p->volume ? mem_printf("%s/%s", volume_folder(p->volume), p->path)
			  : mem_strdup(p->path);
	return o->n_places > 0 && file_read(path, to, NULL);
}

const char *place_container(const struct place *p)
{
	return p->volume ? volume_container(p->volume) : "";
}
