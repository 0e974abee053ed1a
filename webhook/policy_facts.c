// SPDX-License-Identifier: Apache-2.0
// What a pod uses: read once from the pod and from the agent's configuration in it, then asked
// by every rule.
#include <ctype.h>
#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/annotation.h"
#include "lib/conf/path_rule.h"
#include "webhook/plan.h"
#include "webhook/policy_int.h"

enum { CONFIG_MAX = 1 << 20, FACTS_MAX = 2000 };

static const char *const lists[] = { "initContainers", "containers",
				     "ephemeralContainers" };

static struct fact *add(struct facts *f, enum policy_fact kind, const char *value,
			const char *field)
{
	static struct fact beyond; // nobody reads it
	if (f->uses[kind].n >= FACTS_MAX)
		return &beyond;
	f->uses[kind].list = pool_append(f->pool, f->uses[kind].list, &f->uses[kind].n,
					 sizeof(*f->uses[kind].list));
	struct fact *one = &f->uses[kind].list[f->uses[kind].n - 1];
	*one = (struct fact){ .value = value, .field = field };
	return one;
}

const char *facts_field(struct facts *f, const char *list, const json_t *container)
{
	return pool_printf(f->pool, "spec.%s[%.63s]", list, pod_text(container, "name"));
}

// --- the agent's configuration

static json_t *read_config(const struct facts *f, const json_t *container)
{
	const json_t *entry =
		pod_find(json_object_get(container, "env"), "name", CONFIG_ENV);
	const char *text = pod_text(entry, "value");
	AUTO_BUF struct buf b = BUF_INIT(CONFIG_MAX);
	json_t *doc = NULL;
	if (!*text)
		return NULL;
	if (str_starts(text, "file:"))
		buf_puts(&b, pod_text(f->annotations, LONG_CONFIG));
	else if (*text == '{')
		buf_puts(&b, text);
	else if (!codec_b64_decode(text, strlen(text), B64_STD, &b, NULL))
		return NULL;
	if (!json_parse(buf_str(&b), b.len, CONFIG_MAX, JSON_PLAIN, &doc, NULL))
		return NULL;
	return doc;
}

// Lower case, without the scheme's own port and a slash at the end.
static const char *plain_address(struct facts *f, const char *address)
{
	static const char *const ports[][2] = { { "https://", ":443" },
						{ "http://", ":80" } };
	char *text = pool_strdup(f->pool, address);
	size_t len = strlen(text);
	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	while (len > 0 && text[len - 1] == '/')
		text[--len] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(ports); i++)
		if (str_starts(text, ports[i][0]) && str_ends(text, ports[i][1]))
			text[len - strlen(ports[i][1])] = '\0';
	return text;
}

static void read_store(struct facts *f, const char *name, const json_t *store,
		       const json_t *auth)
{
	const char *field = pool_printf(f->pool, "store '%.63s'", name);
	const char *address = pod_text(store, "address"),
		   *role = pod_text(json_object_get(auth, "config"), "role");
	const char *spaces[] = { pod_text(store, "namespace"),
				 pod_text(auth, "namespace") };
	add(f, FACT_STORES, name, field);
	if (*address)
		add(f, FACT_ADDRESSES, plain_address(f, address), field)->odd =
			strpbrk(address, "@?#\\% \t\n") != NULL;
	if (*role)
		add(f, FACT_ROLES, role, field);
	for (size_t i = 0; i < ARRAY_LEN(spaces); i++)
		if (*spaces[i])
			add(f, FACT_STORE_NAMESPACES, spaces[i], field);
}

static const json_t *first_of(const json_t *value)
{
	return json_is_array(value) ? json_array_get(value, 0) : value;
}

static void read_stores(struct facts *f, const json_t *doc)
{
	const json_t *vault = json_object_get(doc, "vault"),
		     *auth = json_object_get(doc, "auto_auth"), *one;
	if (vault || auth)
		read_store(f, "vault", vault, first_of(json_object_get(auth, "method")));
	POD_EACH (json_object_get(doc, "store"), i, one)
		read_store(f, pod_text(one, "name"), one, json_object_get(one, "auth"));
}

// The store that a bare path goes to.
static const char *default_store(const json_t *doc)
{
	const json_t *list = json_object_get(doc, "store"), *one;
	POD_EACH (list, i, one)
		if (json_is_true(json_object_get(one, "default")))
			return pod_text(one, "name");
	if (json_object_get(doc, "vault") || json_object_get(doc, "auto_auth"))
		return "vault";
	return pod_text(json_array_get(list, 0), "name");
}

static bool is_store(const json_t *doc, const char *name, size_t len)
{
	const json_t *one;
	POD_EACH (json_object_get(doc, "store"), i, one)
		if (strlen(pod_text(one, "name")) == len &&
		    memcmp(pod_text(one, "name"), name, len) == 0)
			return true;
	return len == 5 && memcmp(name, "vault", 5) == 0;
}

static void read_path(struct facts *f, const json_t *doc, const char *path,
		      const char *field)
{
	size_t len = strcspn(path, ":/");
	const char *store = default_store(doc);
	if (path[len] == ':' && is_store(doc, path, len)) {
		store = pool_strndup(f->pool, path, len);
		path += len + 1;
	}
	char plain[PATH_RULE_MAX];
	bool odd = !path_rule_plain(path, plain);
	struct fact *one =
		add(f, FACT_PATHS, odd ? path : pool_strdup(f->pool, plain), field);
	one->store = store;
	one->odd = odd;
}

// --- templates

struct scanning {
	struct facts *f;
	const json_t *doc;
	const char *field;
};

static bool reads_store(const char *function)
{
	static const char *const names[] = { "secret", "secrets", "pkiCert", "write" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], function) == 0)
			return true;
	return false;
}

static void note_ttl(struct facts *f, const char *option, const char *field)
{
	int64_t ms;
	if (!str_starts(option, "ttl=") || !str_duration_ms(option + 4, &ms, NULL) ||
	    ms <= f->ttl_ms)
		return;
	f->ttl_ms = ms;
	f->ttl_field = field;
}

static void on_word(void *ctx, const struct template_word *w)
{
	struct scanning *s = ctx;
	if (w->option) {
		note_ttl(s->f, w->option, s->field);
		return;
	}
	add(s->f, FACT_FUNCTIONS, w->function, s->field);
	if (!reads_store(w->function))
		return;
	if (w->literal)
		read_path(s->f, s->doc, w->literal, s->field);
	else
		add(s->f, FACT_PATHS, "", s->field)->computed = true;
}

static void note_interval(struct facts *f, const json_t *value, const char *field)
{
	int64_t ms = -1;
	if (json_is_integer(value))
		ms = json_integer_value(value) * 1000;
	else if (!json_is_string(value) ||
		 !str_duration_ms(json_string_value(value), &ms, NULL))
		return;
	if (f->interval_ms >= 0 && ms >= f->interval_ms)
		return;
	f->interval_ms = ms;
	f->interval_field = field;
}

static void read_template(struct facts *f, const json_t *doc, const json_t *t,
			  const char *what)
{
	const char *contents = pod_text(t, "contents"), *secret = pod_text(t, "secret");
	const char *field =
		pool_printf(f->pool, "%s '%.100s'", what, pod_text(t, "name"));
	struct scanning s = { f, doc, field };
	f->n_files++;
	if (*secret)
		read_path(f, doc, secret, field);
	if (*contents && strlen(contents) > f->template_max) {
		f->template_max = strlen(contents);
		f->template_field = field;
	}
	if (*contents && f->ps->wants_words)
		template_words(f->pool, contents, pod_text(t, "left_delimiter"),
			       pod_text(t, "right_delimiter"), on_word, &s);
	if (*pod_text(t, "source"))
		add(f, FACT_PATHS, "", field)->computed = true;
	note_interval(f, json_object_get(t, "interval"), field);
}

static void read_document(struct facts *f, const json_t *doc)
{
	const json_t *one;
	read_stores(f, doc);
	f->proxy |= json_object_get(doc, "cache") != NULL;
	POD_EACH (json_object_get(doc, "template"), i, one)
		read_template(f, doc, one, "file");
	POD_EACH (json_object_get(doc, "env_template"), i, one)
		read_template(f, doc, one, "variable");
	note_interval(f,
		      json_object_get(json_object_get(doc, "template_config"),
				      "static_secret_render_interval"),
		      "static_secret_render_interval");
}

// --- containers

// docker.io/library/nginx:latest for nginx, the registry in lower case.
static const char *whole_image(struct facts *f, const char *image)
{
	size_t len = strcspn(image, "/");
	bool registry = image[len] == '/' &&
			(memchr(image, '.', len) || memchr(image, ':', len) ||
			 (len == 9 && memcmp(image, "localhost", 9) == 0));
	char *text = registry ? pool_strdup(f->pool, image)
			      : pool_printf(f->pool, "docker.io/%s%s",
					    image[len] ? "" : "library/", image);
	for (char *c = text; *c && *c != '/'; c++)
		*c = (char)tolower((unsigned char)*c);
	return str_starts(text, "index.docker.io/") ? text + 6 : text;
}

static bool has_agent_env(const json_t *container)
{
	const json_t *env = json_object_get(container, "env");
	return pod_find(env, "name", CONFIG_ENV) || pod_find(env, "name", SOCKET_ENV);
}

static void read_container(struct facts *f, const char *list, const json_t *c)
{
	const char *image = pod_text(c, "image");
	const char *field = pool_printf(f->pool, "%s.image", facts_field(f, list, c));
	if (!has_agent_env(c)) {
		add(f, FACT_IMAGES, whole_image(f, image), field);
		return;
	}
	if (!f->agent) {
		f->agent = c;
		f->agent_list = list;
	}
	if (strcmp(image, f->ask->settings->image) != 0)
		add(f, FACT_AGENT_IMAGES, whole_image(f, image), field);
	json_t *doc = read_config(f, c);
	if (!doc) {
		f->config_map = true;
		return;
	}
	json_array_append_new(f->configs, doc);
	read_document(f, doc);
}

// The same annotation by its name under the other prefixes.
static const char *other_name(struct facts *f, const struct option_row *row,
			      const char *suffix, const char *n)
{
	const enum annotation_prefix prefixes[] = { PREFIX_VAULT, PREFIX_OURS };
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		const char *name = annotation_name(row, prefixes[i]);
		size_t len = name ? strcspn(name, "<") : 0;
		if (len > 0 && strncmp(name, suffix, len) != 0)
			return pool_printf(f->pool, "%.*s%s", (int)len, name, n ? n : "");
	}
	return NULL;
}

static void read_annotations(struct facts *f)
{
	const char *key, *suffix;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)f->annotations, key, value)
	{
		enum annotation_prefix prefix = annotation_prefix_of(key, &suffix);
		if (prefix == PREFIX_NONE || str_ends(suffix, "inject-status") ||
		    strcmp(key, LONG_CONFIG) == 0)
			continue;
		const char *n = NULL;
		const struct option_row *row = annotation_find(prefix, suffix, &n);
		struct fact *one =
			add(f, FACT_ANNOTATIONS, suffix,
			    pool_printf(f->pool, "metadata.annotations[%.150s]", key));
		one->also[0] = key;
		one->also[1] = row ? other_name(f, row, suffix, n) : NULL;
	}
}

void facts_read(const struct policies *ps, const struct policy_ask *ask,
		struct pool *pool, struct facts *ret)
{
	const json_t *one;
	*ret = (struct facts){ .pool = pool,
			       .ps = ps,
			       .ask = ask,
			       .spec = json_object_get(ask->pod, "spec"),
			       .metadata = json_object_get(ask->pod, "metadata"),
			       .configs = json_array(),
			       .interval_ms = -1,
			       .ttl_ms = -1 };
	ret->annotations = json_object_get(ret->metadata, "annotations");
	identity_of(ask, &ret->id);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		POD_EACH (json_object_get(ret->spec, lists[i]), k, one)
			read_container(ret, lists[i], one);
	if (ps->wants[FACT_ANNOTATIONS])
		read_annotations(ret);
}

void facts_release(struct facts *f)
{
	json_decref(f->configs);
	f->configs = NULL;
}
