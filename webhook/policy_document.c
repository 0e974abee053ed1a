// SPDX-License-Identifier: Apache-2.0
// What an agent's configuration uses: stores, paths, functions, files, intervals.
#include <ctype.h>
#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/conf.h"
#include "lib/conf/path_rule.h"
#include "lib/crypto/digest.h"
#include "webhook/plan.h"
#include "webhook/policy_int.h"

enum { CONFIG_MAX = 1 << 20, SUM_LEN = 32, SAME_NAME_MAX = 32 };

// Whether the three are seen for the first time.
static bool is_new(struct facts *f, const char *kind, const char *value,
		   const char *store)
{
	AUTO_FREE char *key = mem_printf("%s|%s|%s", kind, store, value);
	if (json_object_get(f->seen, key))
		return false;
	json_object_set_new(f->seen, key, json_true());
	return true;
}

// The one that the agent will see: of two with the same name the last.
static const char *config_text(const json_t *container)
{
	const json_t *one, *last = NULL;
	POD_EACH (json_object_get(container, "env"), i, one)
		if (strcmp(pod_text(one, "name"), CONFIG_ENV) == 0)
			last = one;
	return pod_text(last, "value");
}

// Whether "file:PATH#sha256=SUM" speaks of the annotation as it stands; the agent takes no
// other.
static bool is_annotation(const char *text, const char *annotation)
{
	static const char mark[] = "#sha256=";
	unsigned char sum[SUM_LEN];
	AUTO_BUF struct buf hex = BUF_INIT(4 * SUM_LEN);
	const char *at = strstr(text, mark);
	return at && str_starts(text, "file:") &&
	       digest_of(DIGEST_SHA256, bytes_of(annotation, strlen(annotation)), sum,
			 NULL) &&
	       codec_hex_encode(sum, sizeof(sum), &hex) &&
	       strcmp(at + sizeof(mark) - 1, buf_str(&hex)) == 0;
}

json_t *facts_config(const struct facts *f, const json_t *container)
{
	const char *text = config_text(container);
	const char *annotation = pod_text(f->annotations, LONG_CONFIG);
	AUTO_BUF struct buf b = BUF_INIT(CONFIG_MAX);
	json_t *doc = NULL;
	if (!*text)
		return NULL;
	if (is_annotation(text, annotation))
		buf_puts(&b, annotation);
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
	facts_add(f, FACT_STORES, name, field);
	if (*address)
		facts_add(f, FACT_ADDRESSES, plain_address(f, address), field)->odd =
			strpbrk(address, "@?#\\% \t\n") != NULL;
	if (*role)
		facts_add(f, FACT_ROLES, role, field);
	for (size_t i = 0; i < ARRAY_LEN(spaces); i++)
		if (*spaces[i])
			facts_add(f, FACT_STORE_NAMESPACES, spaces[i], field);
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

// A configuration that is being read: where its paths lead.
struct document {
	struct facts *f;
	const char *usual; // the store of a bare path
	json_t *stores;    // their names
	const char *field; // of the template that is being read
};

static void note_ttl(struct facts *f, const char *option, const char *field)
{
	AUTO_FREE char *text = conf_lifetime(option);
	int64_t ms;
	if (!text)
		return;
	if (!str_duration_ms(text, &ms, NULL)) // a date, or hidden: nothing to compare
		ms = INT64_MAX;
	if (ms <= f->ttl_ms)
		return;
	f->ttl_ms = ms;
	f->ttl_field = field;
}

static void read_path(const struct document *d, const char *path)
{
	struct facts *f = d->f;
	for (const char *q = strchr(path, '?'); q; q = strchr(q, '&'))
		note_ttl(f, ++q, d->field);
	size_t len = strcspn(path, ":/");
	const char *store = d->usual;
	if (path[len] == ':') {
		const char *name = pool_strndup(f->pool, path, len);
		if (json_object_get(d->stores, name) || strcmp(name, "vault") == 0) {
			store = name;
			path += len + 1;
		}
	}
	char plain[PATH_RULE_MAX];
	bool odd = !path_rule_plain(path, plain);
	if (!is_new(f, "path", path, store))
		return;
	struct fact *one = facts_add(f, FACT_PATHS,
				     odd ? path : pool_strdup(f->pool, plain), d->field);
	one->store = store;
	one->odd = odd;
}

// --- templates

static bool reads_store(const char *function)
{
	static const char *const names[] = { "secret", "secrets", "pkiCert", "write" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], function) == 0)
			return true;
	return false;
}

static void on_word(void *ctx, const struct template_word *w)
{
	const struct document *s = ctx;
	if (w->option) {
		note_ttl(s->f, w->option, s->field);
		return;
	}
	if (is_new(s->f, "function", w->function, ""))
		facts_add(s->f, FACT_FUNCTIONS, w->function, s->field);
	if (!reads_store(w->function))
		return;
	if (w->literal)
		read_path(s, w->literal);
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

// A template as a file: whom it is for aside.
static json_t *bare_file(const json_t *t)
{
	json_t *bare = json_copy((json_t *)(uintptr_t)t);
	json_object_del(bare, "containers");
	json_object_del(bare, "unread_after");
	return bare;
}

// One that is told of twice, for init containers and for others, is one file. Of those that
// share a name, only the first ones are compared.
static void count_file(struct facts *f, const json_t *t)
{
	const char *name = pod_text(t, "name");
	json_t *known = json_object_get(f->files, name);
	bool same = false;
	if (!known) {
		known = json_array();
		json_object_set_new(f->files, name, known);
	} else if (json_array_size(known) < SAME_NAME_MAX) {
		AUTO_JSON json_t *bare = bare_file(t);
		for (size_t i = 0; i < json_array_size(known) && !same; i++) {
			AUTO_JSON json_t *other = bare_file(json_array_get(known, i));
			same = json_equal(other, bare);
		}
	}
	if (!same)
		json_array_append(known, (json_t *)(uintptr_t)t);
	f->n_files += !same;
}

static void read_template(struct document *d, const json_t *t, const char *what)
{
	struct facts *f = d->f;
	const char *contents = pod_text(t, "contents"), *secret = pod_text(t, "secret");
	const char *field =
		pool_printf(f->pool, "%s '%.100s'", what, pod_text(t, "name"));
	d->field = field;
	count_file(f, t);
	if (*secret)
		read_path(d, secret);
	if (*contents && strlen(contents) > f->template_max) {
		f->template_max = strlen(contents);
		f->template_field = field;
	}
	if (*contents && f->ps->wants_words)
		template_words(f->pool, contents, pod_text(t, "left_delimiter"),
			       pod_text(t, "right_delimiter"), on_word, d);
	note_interval(f, json_object_get(t, "interval"), field);
}

void facts_read_document(struct facts *f, const json_t *doc)
{
	const json_t *one;
	struct document d = { f, default_store(doc), json_object(), NULL };
	POD_EACH (json_object_get(doc, "store"), i, one)
		json_object_set_new(d.stores, pod_text(one, "name"), json_true());
	read_stores(f, doc);
	f->proxy |= json_object_get(doc, "cache") || json_object_get(doc, "api_proxy");
	f->sink |= json_object_get(doc, "sink") ||
		   json_object_get(json_object_get(doc, "auto_auth"), "sink");
	POD_EACH (json_object_get(doc, "template"), i, one)
		read_template(&d, one, "file");
	POD_EACH (json_object_get(doc, "env_template"), i, one)
		read_template(&d, one, "variable");
	note_interval(f,
		      json_object_get(json_object_get(doc, "template_config"),
				      "static_secret_render_interval"),
		      "static_secret_render_interval");
	json_decref(d.stores);
}
