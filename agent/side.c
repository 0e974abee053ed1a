// SPDX-License-Identifier: Apache-2.0
#include "agent/side.h"

#include <string.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

static bool below(const char *path, const char *folder, size_t len)
{
	while (len > 0 && folder[len - 1] == '/')
		len--;
	return strncmp(path, folder, len) == 0 && path[len] == '/';
}

static bool granted(const struct sides *s, const char *path)
{
	const struct conf *c = s->conf;
	const char *const *dirs = c->policy.write_dirs;
	for (; dirs && *dirs; dirs++)
		if (below(path, *dirs, strlen(*dirs)))
			return true;
	for (size_t i = 0; !s->volumes[0] && !c->policy.write_dirs && i < c->n_templates;
	     i++) {
		const char *to = c->templates[i].destination;
		const char *slash = strrchr(to, '/');
		if (slash && slash > to && below(path, to, (size_t)(slash - to)))
			return true;
	}
	return false;
}

static bool in_volume(const struct sides *s, const char *path)
{
	for (struct volume *const *v = s->volumes; *v; v++)
		if (volume_path_of(*v, path))
			return true;
	return false;
}

static bool refused(struct err *e, const char *why)
{
	return err_set(e, ERR_DENIED, 0, "%s", why);
}

static bool find(const struct sides *s, const struct output *parent, const char *path,
		 struct output **ret, struct err *e)
{
	*ret = NULL;
	for (size_t i = 0; i < *s->n_outputs; i++) {
		struct output *o = (*s->outputs)[i];
		// A variable has no destination.
		if (!o->conf->destination || strcmp(o->conf->destination, path) != 0)
			continue;
		if (o->parent != parent)
			return refused(e, "another template writes that file");
		*ret = o;
	}
	return true;
}

// The conf of a side: where its parent goes, without what makes a template.
static struct conf_template *conf_of(const struct conf_template *parent,
				     const struct tmpl_file *f)
{
	struct conf_template *c = mem_alloc(sizeof(*c));
	*c = *parent;
	c->source = c->contents = c->stock = c->secret = NULL;
	c->name = c->destination = mem_strdup(f->path);
	c->user = *f->user ? mem_strdup(f->user) : NULL;
	c->group = *f->group ? mem_strdup(f->group) : NULL;
	c->create_dest_dirs = true;
	c->backup = false;
	c->has_mode = *f->perms && str_mode(f->perms, &c->mode, NULL);
	return c;
}

static bool add(const struct sides *s, struct output *parent, const struct tmpl_file *f,
		struct output **ret, struct err *e)
{
	static struct volume *const none[] = { NULL };
	bool inside = in_volume(s, f->path);
	if (f->path[0] != '/' || !file_path_ok(f->path + 1, NULL))
		return refused(e, "the path is not absolute and plain");
	if (!inside && !granted(s, f->path))
		return refused(e, "the path is in no folder that templates may write to; "
				  "policy { write_dirs } grants one");
	struct conf_template *c = conf_of(parent->conf, f);
	struct err why = ERR_INIT;
	struct output *o = NULL;
	if (!output_new(c, inside ? s->volumes : none, &o, &why)) {
		output_conf_free(c);
		return refused(e,
			       "user or group is not known here, or the path leads into "
			       "no folder of the template's containers");
	}
	o->parent = parent;
	o->own_conf = c;
	o->dirty = false;
	o->fresh = (struct buf)BUF_INIT(OUTPUT_MAX_BYTES);
	*s->outputs =
		mem_realloc(*s->outputs, (*s->n_outputs + 1) * sizeof(struct output *));
	(*s->outputs)[(*s->n_outputs)++] = o;
	*ret = o;
	return true;
}

bool side_write(const struct sides *s, struct output *parent, const struct tmpl_file *f,
		struct err *e)
{
	struct output *o = NULL;
	if (!find(s, parent, f->path, &o, e) || (!o && !add(s, parent, f, &o, e)))
		return false;
	if (!f->append)
		buf_reset(&o->fresh);
	o->written = true;
	return (buf_add(&o->fresh, f->content, f->len) &&
		(!f->newline || buf_putc(&o->fresh, '\n'))) ||
	       refused(e, "more than 1 MiB");
}

void side_begin(const struct sides *s, struct output *parent)
{
	for (size_t i = 0; i < *s->n_outputs; i++) {
		struct output *o = (*s->outputs)[i];
		if (o->parent != parent)
			continue;
		buf_release(&o->fresh);
		o->fresh = (struct buf)BUF_INIT(OUTPUT_MAX_BYTES);
		o->written = false;
	}
}

void side_end(const struct sides *s, struct output *parent,
	      void (*take)(struct output *o, struct buf *fresh))
{
	for (size_t i = 0; i < *s->n_outputs; i++) {
		struct output *o = (*s->outputs)[i];
		if (o->parent != parent || !o->written)
			continue;
		o->n_deps = 0;
		for (size_t k = 0; k < parent->n_deps; k++)
			output_add_dep(o, parent->deps[k]);
		take(o, &o->fresh);
	}
}

void side_remove(const struct sides *s, const struct output *parent)
{
	for (size_t i = 0; i < *s->n_outputs; i++) {
		struct output *o = (*s->outputs)[i];
		if (o->parent == parent && o->state == OUTPUT_HELD)
			o->removing = true;
	}
}
