// SPDX-License-Identifier: Apache-2.0
// Rendering: the look-up of the template language over the cache, and the stock templates.
#include "agent/render.h"
#include "agent/audit.h"

#include <string.h>

#include "agent/bounds.h"
#include "agent/source.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum { SECRETS_MAX = 1024 };

// One run: what it touched, and why it cannot end.
struct run {
	const struct render_env *env;
	struct output *output;
	bool gone;      // a secret that it needs is gone
	struct err why; // first reason to wait
	json_t *files;  // contents of `file` look-ups, kept for the run
};

static size_t append(const char **to, size_t n, const char *const *list)
{
	for (; list && *list; list++)
		to[n++] = *list;
	return n;
}

static size_t count(const char *const *list)
{
	size_t n = 0;
	while (list && list[n])
		n++;
	return n;
}

// What the policy and the template's own function_denylist forbid, together.
static void deny_functions(struct output *o, const struct conf *conf)
{
	const char *const *policy = conf->policy.deny_functions;
	const char *const *own = o->conf->function_denylist;
	if (o->denied)
		return; // the configuration does not change, and templates borrow the list
	o->denied = mem_calloc(count(policy) + count(own) + 1, sizeof(*o->denied));
	append(o->denied, append(o->denied, 0, policy), own);
}

// The folders for `file`: the policy's, of which sandbox_path leaves itself; alone it is a
// grant, as in the peers' configurations.
static const char *const *read_dirs(struct output *o, const struct conf_policy *p)
{
	const char *box = o->conf->sandbox_path;
	if (!box)
		return p->read_dirs;
	for (const char *const *d = p->read_dirs; d && *d; d++) {
		size_t len = strlen(*d);
		if (strncmp(box, *d, len) == 0 && (box[len] == '/' || !box[len]))
			o->sandbox[0] = box;
	}
	if (!p->read_dirs)
		o->sandbox[0] = box;
	return o->sandbox;
}

static const char *refuses(const void *ctx, const char *function)
{
	const struct output *o = ctx;
	return bounds_function(o->bounds, o->name, function);
}

bool render_load(struct output *o, const struct conf *conf, struct err *e)
{
	const struct conf_template *t = o->conf;
	AUTO_BUF struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);
	if (t->source) {
		if (!file_read(t->source, &text, e))
			return err_wrap(e, "template '%s'", o->name);
	} else if (t->contents) {
		buf_puts(&text, t->contents);
	} else if (t->stock) {
		const char *stock = tmpl_stock(t->stock);
		if (!stock)
			return err_set(e, ERR_CONFIG, 0,
				       "template '%s': there is no stock template '%s'",
				       o->name, t->stock);
		buf_puts(&text, stock);
	}
	if (buf_failed(&text))
		return err_set(e, ERR_LIMIT, 0, "template '%s' is longer than 1 MiB",
			       o->name);
	deny_functions(o, conf);
	o->bounds = conf;
	struct tmpl_opts opts = {
		.name = t->source ? t->source : o->name,
		.left_delim = t->left_delimiter,
		.right_delim = t->right_delimiter,
		.missing_key =
			t->error_on_missing_key ? TMPL_MISSING_ERROR : TMPL_MISSING_ZERO,
		.grants = { .env = conf->policy.allow_env,
			    .read_dirs = read_dirs(o, &conf->policy),
			    .denied = o->denied,
			    .refuses = conf->n_restricts ? refuses : NULL,
			    .refuses_ctx = o },
	};
	struct tmpl *fresh = NULL;
	if (!tmpl_parse(buf_str(&text), text.len, &opts, &fresh, e))
		return false;
	tmpl_free(o->tmpl);
	o->tmpl = fresh;
	return true;
}

static bool any_glob(const char *const *patterns, const char *s)
{
	for (; *patterns; patterns++)
		if (str_glob(*patterns, s))
			return true;
	return false;
}

static bool policy_allows(const struct conf_policy *p, const char *name, struct err *e)
{
	const char *policy = p->name ? p->name : "policy";
	if (p->deny_paths && any_glob(p->deny_paths, name))
		return err_set(e, ERR_DENIED, 0, "policy '%s' denies the path '%s'",
			       policy, name);
	if (p->allow_paths && !any_glob(p->allow_paths, name))
		return err_set(e, ERR_DENIED, 0,
			       "policy '%s' does not allow the path '%s' (allow_paths)",
			       policy, name);
	return true;
}

// "k=v" pairs as an object of strings.
static json_t *params_of(const struct tmpl_want *w)
{
	if (w->n_args == 0)
		return NULL;
	json_t *o = json_object();
	for (size_t i = 0; i < w->n_args; i++) {
		const char *eq = strchr(w->args[i], '=');
		if (!eq)
			continue;
		AUTO_FREE char *key = mem_strndup(w->args[i], (size_t)(eq - w->args[i]));
		json_object_set_new(o, key, json_string(eq + 1));
	}
	return o;
}

static void note_interval(struct entry *en, int64_t interval_ms)
{
	if (interval_ms > 0 && (en->interval_ms == 0 || interval_ms < en->interval_ms))
		en->interval_ms = interval_ms;
}

// Why an entry has no answer: its own error, or its store's.
static void entry_reason(const struct entry *en, struct err *ret)
{
	const struct err *down = source_error(en->source);
	if (en->error.kind != ERR_NONE)
		*ret = en->error;
	else if (down)
		*ret = *down;
	else
		err_set(ret, ERR_RETRY, 0, "waits for its first answer");
	err_wrap(ret, "secret '%s'", entry_name(en));
}

void render_reason(const struct output *o, struct err *ret)
{
	for (size_t i = 0; i < o->n_deps; i++)
		if (o->deps[i]->state != ENTRY_HELD) {
			entry_reason(o->deps[i], ret);
			return;
		}
	*ret = o->error;
}

static enum tmpl_answer look_up(struct run *r, const struct cache_ask *ask, bool pki,
				const json_t **ret)
{
	bool is_new;
	struct entry *en = cache_get(r->env->cache, ask, &is_new);
	note_interval(en, r->output->conf->interval_ms);
	output_add_dep(r->output, en);
	if (is_new && !r->env->restore(r->env->ctx, en, pki))
		source_fetch(en);
	if (en->state == ENTRY_HELD) {
		*ret = en->body;
		return TMPL_FOUND;
	}
	if (en->state == ENTRY_GONE)
		r->gone = true;
	if (r->why.kind == ERR_NONE)
		entry_reason(en, &r->why);
	return TMPL_WANTED;
}

static enum tmpl_answer look_up_file(struct run *r, const char *path, const json_t **ret,
				     struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(OUTPUT_MAX_BYTES);
	if (!file_read(path, &b, e))
		return TMPL_FAILED;
	json_t *text = json_str(buf_str(&b), b.len);
	if (!text) {
		err_set(e, ERR_CONFIG, 0, "'%s' is not UTF-8 text", path);
		return TMPL_FAILED;
	}
	json_array_append_new(r->files, text);
	*ret = text;
	return TMPL_FOUND;
}

// Lifetimes that are asked for: by arguments, and behind the path's '?'.
static bool may_last(const struct run *r, const struct tmpl_want *w, const char *path,
		     struct err *e)
{
	const struct conf *c = r->env->conf;
	const char *who = r->output->name;
	for (size_t i = 0; i < w->n_args; i++)
		if (!bounds_option(c, who, w->args[i], e))
			return false;
	for (const char *q = strchr(path, '?'); q; q = strchr(q, '&'))
		if (!bounds_option(c, who, ++q, e))
			return false;
	return true;
}

static enum tmpl_answer on_lookup(void *ctx, const struct tmpl_want *w,
				  const json_t **ret, struct err *e)
{
	struct run *r = ctx;
	const char *path;
	if (w->kind == TMPL_WANT_FILE)
		return look_up_file(r, w->path, ret, e);
	const struct conf_store *store = conf_store_of(r->env->conf, w->path, &path, e);
	if (!store)
		return TMPL_FAILED;
	AUTO_FREE char *name = mem_printf("%s:%s", store->name, path);
	if (!policy_allows(&r->env->conf->policy, name, e))
		return TMPL_FAILED;
	AUTO_JSON json_t *params = params_of(w);
	if (!bounds_path(r->env->conf, r->output->name, store->name, path, e) ||
	    !may_last(r, w, path, e))
		return TMPL_FAILED;
	struct cache_ask ask = {
		.source = r->env->source_of(r->env->ctx, store),
		.verb = w->kind == TMPL_WANT_LIST ? STORE_LIST
			: params                  ? STORE_WRITE
						  : STORE_READ,
		.path = path,
		.params = params,
	};
	return look_up(r, &ask, w->kind == TMPL_WANT_PKICERT, ret);
}

// The fields of an answer: KV v2 keeps them one level deeper.
static const json_t *fields_of(const json_t *body)
{
	const json_t *data = json_object_get(body, "data");
	const json_t *inner = json_object_get(data, "data");
	return json_is_object(inner) && json_object_get(data, "metadata") ? inner : data;
}

// The secret of `secret = "[store:]path[#key]"`; *ret_key points behind the '#', or NULL.
static bool stock_secret(struct run *r, const json_t **ret, const char **ret_key,
			 struct err *e)
{
	const char *hash = strrchr(r->output->conf->secret, '#');
	AUTO_FREE char *path =
		hash ? mem_strndup(r->output->conf->secret,
				   (size_t)(hash - r->output->conf->secret))
		     : mem_strdup(r->output->conf->secret);
	struct tmpl_want want = { .kind = TMPL_WANT_SECRET, .path = path };
	const json_t *body = NULL;
	*ret_key = hash ? hash + 1 : NULL;
	*ret = NULL;
	enum tmpl_answer a = on_lookup(r, &want, &body, e);
	if (a == TMPL_FOUND)
		*ret = fields_of(body);
	return a != TMPL_FAILED;
}

// The bare value of one key, without a template.
static bool bare_value(const json_t *fields, const char *key, struct buf *out,
		       struct err *e)
{
	const json_t *v = json_object_get(fields, key);
	if (!v)
		return err_set(e, ERR_MISSING, 0, "the secret has no key '%s'", key);
	if (!json_is_string(v) || json_number_text(v))
		return json_write(v, out, e);
	return buf_add(out, json_string_value(v), json_string_length(v)) ||
	       err_set(e, ERR_LIMIT, 0, "the value is longer than 1 MiB");
}

static bool on_write(void *ctx, const struct tmpl_file *file, struct err *e)
{
	struct run *r = ctx;
	return side_write(&r->env->sides, r->output, file, e);
}

static bool run_template(struct run *r, struct buf *out, bool *ret_complete,
			 struct err *e)
{
	struct output *o = r->output;
	struct tmpl_source source = { .lookup = on_lookup, .write = on_write, .ctx = r };
	const json_t *data = NULL;
	const char *key = NULL;
	*ret_complete = false;
	if (o->conf->secret) {
		if (!stock_secret(r, &data, &key, e))
			return false;
		if (!data)
			return true;
		*ret_complete = true;
		if (key && !o->conf->stock)
			return bare_value(data, key, out, e);
		if (key) {
			data = json_object_get(data, key);
			if (!data)
				return err_set(e, ERR_MISSING, 0,
					       "the secret has no key '%s'", key);
		}
	}
	return tmpl_run(o->tmpl, &source, data, out, ret_complete, e);
}

static void note_secrets(struct output *o)
{
	struct buf b = BUF_INIT(SECRETS_MAX);
	for (size_t i = 0; i < o->n_deps; i++) {
		const struct entry *en = o->deps[i];
		buf_printf(&b, "%s%s%s%s", i ? " " : "", entry_name(en),
			   *en->version ? "@" : "", en->version);
	}
	mem_free(o->previous_secrets);
	o->previous_secrets = o->secrets;
	o->secrets = buf_take(&b, NULL);
}

static void take_content(struct output *o, struct buf *fresh)
{
	bool first = o->generation == 0;
	if (!first && o->state == OUTPUT_HELD && !o->rolled_back &&
	    buf_equal(&o->content, fresh)) {
		err_clear(&o->error);
		return;
	}
	// After a roll-back the refused content is in `previous`: it does not come again. The
	// store may have gone back to what is shown already.
	if (o->rolled_back && buf_equal(&o->previous, fresh))
		return;
	if (o->rolled_back && buf_equal(&o->content, fresh)) {
		o->rolled_back = false;
		return;
	}
	o->rolled_back = false;
	buf_release(&o->previous);
	o->previous = o->content;
	o->content = *fresh;
	*fresh = (struct buf){ .max = OUTPUT_MAX_BYTES };
	note_secrets(o);
	err_clear(&o->error);
	o->generation++;
	o->changed = true;
	o->rendered_ms = clock_mono_ms();
	audit(AUDIT_RENDER, LOG_STR("template", o->name), LOG_STR("secrets", o->secrets));
}

static bool removes(const struct render_env *env, const struct output *o)
{
	enum conf_revoked rule =
		o->conf->has_on_revoked ? o->conf->on_revoked : env->conf->on_revoked;
	return rule == REVOKED_REMOVE && o->state == OUTPUT_HELD;
}

// A certificate out of our own files is good only if it leaves them as they are: else a part
// was missing (its key, the authority), and another one is issued.
static bool reuse_holds(struct output *o, const struct buf *fresh)
{
	bool reused = false;
	for (size_t i = 0; i < o->n_deps; i++)
		reused |= o->deps[i]->reused;
	if (!reused)
		return true;
	AUTO_BUF struct buf there = BUF_INIT(OUTPUT_MAX_BYTES);
	if (output_read(o, &there) && buf_equal(&there, fresh))
		return true;
	for (size_t i = 0; i < o->n_deps; i++)
		if (o->deps[i]->reused)
			entry_forget_answer(o->deps[i]);
	return false;
}

void render_run(const struct render_env *env, struct output *o)
{
	struct run r = { .env = env, .output = o, .why = ERR_INIT };
	AUTO_JSON json_t *files = json_array();
	AUTO_BUF struct buf out = BUF_INIT(OUTPUT_MAX_BYTES);
	struct err e = ERR_INIT;
	bool complete;
	r.files = files;
	o->dirty = false;
	if (o->parent)
		return; // its run fills it
	o->n_deps = 0;
	if (!o->tmpl)
		return; // render_load() has said why
	side_begin(&env->sides, o);
	bool ok = run_template(&r, &out, &complete, &e);
	if (ok && complete && o->generation == 0 && !reuse_holds(o, &out))
		return;
	if (ok && complete) {
		o->failed = false;
		take_content(o, &out);
		side_end(&env->sides, o, take_content);
		return;
	}
	bool was_good = o->error.kind == ERR_NONE;
	o->failed = !ok;
	o->error = ok ? r.why : e;
	if (!ok && (was_good || o->state == OUTPUT_WAITING)) {
		audit_error(AUDIT_RENDER, &e, LOG_STR("template", o->name));
		log_fail(LOG_WARN, &e, "template not rendered",
			 LOG_STR("template", o->name));
	}
	if (ok && r.gone && removes(env, o)) {
		o->removing = true;
		side_remove(&env->sides, o);
	}
}
