// SPDX-License-Identifier: Apache-2.0
// conf_load(): documents → tree → struct conf. Files and folders are read here; the stanzas
// are in files of their names.
#include "lib/conf/conf.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/hcl.h"
#include "lib/conf/load.h"

enum { DOCUMENTS_MAX = 256 };

// What conf_load() gives out is the first member; its strings lie in the pool beside it.
struct conf_owned {
	struct conf conf;
	struct pool pool;
};

// --- documents

static bool add_document(struct load *l, const char *name, const char *text, size_t len)
{
	const struct node *root;
	if (l->n_documents >= DOCUMENTS_MAX)
		return err_set(l->e, ERR_LIMIT, 0, "more than %d configuration files",
			       DOCUMENTS_MAX);
	if (!hcl_parse(l->pool, name, text, len, &root, l->e))
		return false;
	if (root->kind != NODE_OBJECT)
		return node_err(root, l->e, "a configuration is an object");
	l->documents = pool_append(l->pool, l->documents, &l->n_documents,
				   sizeof(const struct node *));
	l->documents[l->n_documents - 1] = root;
	return true;
}

static bool add_file(struct load *l, const char *path)
{
	AUTO_BUF struct buf text = BUF_INIT(HCL_BYTES_MAX);
	return file_read(path, &text, l->e) &&
	       add_document(l, path, buf_str(&text), text.len);
}

// *.hcl and *.json; what editors leave behind is skipped.
static int is_conf_file(const struct dirent *d)
{
	const char *n = d->d_name;
	return (str_ends(n, ".hcl") || str_ends(n, ".json")) && n[0] != '.' &&
	       n[0] != '#';
}

static bool add_folder(struct load *l, const char *path)
{
	struct dirent **entries = NULL;
	int n = scandir(path, &entries, is_conf_file, alphasort);
	bool ok = n > 0 || err_set(l->e, ERR_CONFIG, 0,
				   "folder '%s' holds no *.hcl or *.json file", path);
	for (int i = 0; i < n; i++) {
		char *file = pool_printf(l->pool, "%s/%s", path, entries[i]->d_name);
		struct stat st;
		if (ok && !(stat(file, &st) == 0 && S_ISDIR(st.st_mode)))
			ok = add_file(l, file);
		free(entries[i]);
	}
	free(entries);
	return ok;
}

static bool add_documents(struct load *l)
{
	struct stat st;
	for (const char *const *p = l->opts->paths; p && *p; p++) {
		bool folder = stat(*p, &st) == 0 && S_ISDIR(st.st_mode);
		if (!(folder ? add_folder(l, *p) : add_file(l, *p)))
			return false;
	}
	const char *text = l->opts->text;
	if (text &&
	    !add_document(l, l->opts->text_name ? l->opts->text_name : "AMPOULE_CONFIG",
			  text, strlen(text)))
		return false;
	return l->n_documents > 0 ||
	       err_set(l->e, ERR_CONFIG, 0, "no configuration is given");
}

// --- the stanzas of the whole

static bool load_top(struct load *l)
{
	struct conf *c = l->conf;
	if (!stanza_defaults(l, STANZA_TOP, c))
		return false;
	c->on_revoked = l->has_peer ? REVOKED_KEEP : REVOKED_REMOVE;
	for (size_t i = 0; i < l->n_documents; i++)
		if (!stanza_read(l, STANZA_TOP, l->documents[i], c, NULL))
			return false;
	return stanza_override(l, STANZA_TOP, c);
}

static bool load_observe(struct load *l)
{
	const struct node *body;
	return stanza_defaults(l, STANZA_OBSERVE, &l->conf->observe) &&
	       stanza_single(l, "observe", &body) &&
	       (!body || stanza_read(l, STANZA_OBSERVE, body, &l->conf->observe, NULL));
}

// The peer keeps its own in cache { persist {…} }.
static bool load_state(struct load *l)
{
	struct conf_state *s = &l->conf->state;
	const struct node *body;
	const json_t *cache = json_array_get(json_object_get(l->conf->other, "cache"), 0);
	const json_t *persist = json_object_get(cache, "persist");
	if (!stanza_defaults(l, STANZA_STATE, s) || !stanza_single(l, "state", &body))
		return false;
	s->path = json_string_value(json_object_get(persist, "path"));
	s->exit_on_err = json_is_on(persist, "exit_on_err");
	if (body && !stanza_read(l, STANZA_STATE, body, s, NULL))
		return false;
	if (body && !s->path)
		return node_err(body, l->e,
				"path is missing: a folder of the agent's own");
	if (s->path && s->path[0] != '/')
		return node_err(body ? node_place(body, "path")
				     : stanza_place(l, "cache"),
				l->e, "'%.200s' must be an absolute path", s->path);
	return true;
}

// One policy only, whichever file it is in: a later one must not loosen an earlier one.
static bool load_policy(struct load *l)
{
	struct node_blocks blocks = { 0 };
	struct conf_policy *p = &l->conf->policy;
	if (!stanza_defaults(l, STANZA_POLICY, p) ||
	    !stanza_all(l, "policy", NULL, &blocks))
		return false;
	p->allow_env = l->has_peer;
	if (blocks.n > 1)
		return node_err(blocks.list[1].body, l->e,
				"a second policy; one is allowed, in all files together");
	if (blocks.n == 0)
		return true;
	if (blocks.list[0].label)
		p->name = blocks.list[0].label;
	return stanza_read(l, STANZA_POLICY, blocks.list[0].body, p, NULL);
}

bool load_goes_on(struct load *l)
{
	if (!l->opts->error)
		return false;
	l->opts->error(l->opts->warn_ctx, l->e->text);
	err_clear(l->e);
	l->failed = true;
	return true;
}

static bool load_all(struct load *l)
{
	static bool (*const parts[])(struct load * l) = {
		load_stores,    load_top,  load_observe, load_policy, load_deliver,
		load_templates, load_exec, load_peer,    load_state,  load_restricts,
	};
	if (!add_documents(l))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (!parts[i](l) && !load_goes_on(l))
			return false;
	// What is missing may stand in a part that failed.
	return l->failed ? err_set(l->e, ERR_CONFIG, 0, "the configuration has errors")
			 : check_conf(l);
}

bool conf_load(const struct conf_load_opts *opts, struct conf **ret, struct err *e)
{
	struct err ignored = ERR_INIT;
	struct conf_owned *o = mem_alloc(sizeof(*o));
	struct load l = {
		.pool = &o->pool,
		.conf = &o->conf,
		.opts = opts,
		.e = e ? e : &ignored,
	};
	o->conf.other = json_object();
	if (!load_all(&l)) {
		if (opts->error)
			*ret = &o->conf;
		else
			conf_free(&o->conf);
		return false;
	}
	*ret = &o->conf;
	return true;
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	struct conf_owned *o = CONTAINER_OF(c, struct conf_owned, conf);
	for (size_t i = 0; i < c->n_stores; i++) {
		json_decref(c->stores[i].options);
		json_decref(c->stores[i].auth.config);
	}
	json_decref(c->other);
	pool_release(&o->pool);
	mem_free(o);
}
