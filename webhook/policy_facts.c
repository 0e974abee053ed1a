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
#include "lib/conf/conf.h"
#include "lib/conf/path_rule.h"
#include "lib/crypto/digest.h"
#include "webhook/plan.h"
#include "webhook/policy_int.h"

// A pod has two agents at most; what more there is was written by hand.
enum { CONFIG_MAX = 1 << 20, FACTS_MAX = 2000, SUM_LEN = 32, AGENTS_MAX = 2 };

static const char *const lists[] = { "initContainers", "containers",
				     "ephemeralContainers" };

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

static struct fact *add(struct facts *f, enum policy_fact kind, const char *value,
			const char *field)
{
	static struct fact beyond; // nobody reads it
	if (f->uses[kind].n >= FACTS_MAX) {
		f->uses[kind].overfull = true;
		return &beyond;
	}
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

// NULL: nobody can look at it here.
static json_t *read_config(const struct facts *f, const json_t *container)
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
	struct fact *one =
		add(f, FACT_PATHS, odd ? path : pool_strdup(f->pool, plain), d->field);
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
		add(s->f, FACT_FUNCTIONS, w->function, s->field);
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

// One that is told of twice, for init containers and for others, is one file.
static void count_file(struct facts *f, const json_t *t, const char *what)
{
	AUTO_JSON json_t *same = json_copy((json_t *)(uintptr_t)t);
	json_object_del(same, "containers");
	json_object_del(same, "unread_after");
	AUTO_BUF struct buf text = BUF_INIT(CONFIG_MAX);
	if (!json_write(same, &text, NULL) || is_new(f, what, buf_str(&text), ""))
		f->n_files++;
}

static void read_template(struct document *d, const json_t *t, const char *what)
{
	struct facts *f = d->f;
	const char *contents = pod_text(t, "contents"), *secret = pod_text(t, "secret");
	const char *field =
		pool_printf(f->pool, "%s '%.100s'", what, pod_text(t, "name"));
	d->field = field;
	count_file(f, t, what);
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

static void read_document(struct facts *f, const json_t *doc)
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

// --- containers

static bool is_registry(const char *image, size_t len)
{
	bool upper = false; // no name has capitals
	for (size_t i = 0; i < len; i++)
		upper |= isupper((unsigned char)image[i]) != 0;
	return image[len] == '/' &&
	       (upper || memchr(image, '.', len) || memchr(image, ':', len) ||
		(len == 9 && memcmp(image, "localhost", 9) == 0));
}

// The same registry under one name: lower case, without its own port and aliases.
static const char *plain_registry(struct facts *f, const char *image, size_t len)
{
	static const char *const aliases[] = { "index.docker.io", "registry-1.docker.io",
					       "registry.hub.docker.com" };
	char *text = pool_strndup(f->pool, image, len);
	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (str_ends(text, ":443"))
		text[len - 4] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (strcmp(text, aliases[i]) == 0)
			return "docker.io";
	return text;
}

// docker.io/library/nginx:latest for nginx; also without the tag that nobody wrote, and as it
// is written.
static void add_image(struct facts *f, enum policy_fact kind, const char *image,
		      const char *field)
{
	size_t len = strcspn(image, "/");
	bool named = is_registry(image, len);
	const char *registry = named ? plain_registry(f, image, len) : "docker.io";
	const char *rest = named ? image + len + 1 : image;
	bool library = strcmp(registry, "docker.io") == 0 && !strchr(rest, '/');
	const char *text = pool_printf(f->pool, "%s/%s%s", registry,
				       library ? "library/" : "", rest);
	bool tagged = strpbrk(rest + (strrchr(rest, '/') ? strrchr(rest, '/') - rest : 0),
			      ":@") != NULL;
	struct fact *one = add(
		f, kind, tagged ? text : pool_printf(f->pool, "%s:latest", text), field);
	one->also[0] = text;
	one->also[1] = named ? image : NULL;
}

static bool is_ephemeral(const char *list)
{
	return strcmp(list, "ephemeralContainers") == 0;
}

bool facts_is_ours(struct facts *f, const char *list, const json_t *container)
{
	return !is_ephemeral(list) && plan_is_agent(container) &&
	       agent_look(f) == AGENT_OURS;
}

static void read_container(struct facts *f, const char *list, const json_t *c)
{
	const char *image = pod_text(c, "image");
	const char *field = pool_printf(f->pool, "%s.image", facts_field(f, list, c));
	if (is_ephemeral(list) || !plan_has_config(c))
		return;
	if (!f->agent) {
		f->agent = c;
		f->agent_list = list;
	}
	if (strcmp(image, f->ask->settings->image) != 0)
		add_image(f, FACT_AGENT_IMAGES, image, field);
	bool made = f->ask->config && plan_is_agent(c);
	json_t *doc = made ? json_incref((json_t *)(uintptr_t)f->ask->config)
		      : f->n_agents++ < AGENTS_MAX ? read_config(f, c)
						   : NULL;
	if (!doc) {
		f->config_map = true;
		return;
	}
	bool known = json_equal(json_array_get(f->configs, 0), doc); // of the pair
	json_array_append_new(f->configs, doc);
	if (!known)
		read_document(f, doc);
}

// Any container that only looks like the agent is the application's.
static void read_image(struct facts *f, const char *list, const json_t *c)
{
	if (!facts_is_ours(f, list, c))
		add_image(f, FACT_IMAGES, pod_text(c, "image"),
			  pool_printf(f->pool, "%s.image", facts_field(f, list, c)));
}

static void read_images(struct facts *f)
{
	const json_t *one;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		POD_EACH (json_object_get(f->spec, lists[i]), k, one)
			read_image(f, lists[i], one);
	POD_EACH (json_object_get(f->spec, "volumes"), i, one) {
		const json_t *image = json_object_get(one, "image");
		if (*pod_text(image, "reference"))
			add_image(f, FACT_IMAGES, pod_text(image, "reference"),
				  pool_printf(f->pool, "spec.volumes[%.63s].image",
					      pod_text(one, "name")));
	}
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

// Names of a login's settings count in either case, and so do its rules.
static const char *plain_annotation(struct facts *f, const char *suffix)
{
	if (!str_starts(suffix, "auth-config-"))
		return suffix;
	char *text = pool_strdup(f->pool, suffix);
	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return text;
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
			add(f, FACT_ANNOTATIONS, plain_annotation(f, suffix),
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
			       .seen = json_object(),
			       .interval_ms = -1,
			       .ttl_ms = -1 };
	ret->annotations = json_object_get(ret->metadata, "annotations");
	identity_of(ask, &ret->id);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		POD_EACH (json_object_get(ret->spec, lists[i]), k, one)
			read_container(ret, lists[i], one);
	if (ps->wants[FACT_IMAGES])
		read_images(ret);
	if (ps->wants[FACT_ANNOTATIONS])
		read_annotations(ret);
}

void facts_release(struct facts *f)
{
	json_decref(f->configs);
	json_decref(f->seen);
	json_decref(f->mounted);
	f->configs = f->seen = f->mounted = NULL;
}
