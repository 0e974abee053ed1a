// SPDX-License-Identifier: Apache-2.0
// What a pod uses: read once from the pod and from the agent's configuration in it, then asked
// by every rule.
#include <ctype.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/conf/annotation.h"
#include "webhook/plan.h"
#include "webhook/policy_int.h"

// A pod has two agents at most; what more there is was written by hand.
enum { FACTS_MAX = 2000, AGENTS_MAX = 2 };

static const char *const lists[] = { "initContainers", "containers",
				     "ephemeralContainers" };

struct fact *facts_add(struct facts *f, enum policy_fact kind, const char *value,
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
	struct fact *one = facts_add(
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

static const char *image_field(struct facts *f, const char *list, const json_t *c)
{
	return pool_printf(f->pool, "%s.image", facts_field(f, list, c));
}

static void read_container(struct facts *f, const char *list, const json_t *c)
{
	const char *image = pod_text(c, "image");
	if (is_ephemeral(list) || !plan_has_config(c))
		return;
	if (!f->agent) {
		f->agent = c;
		f->agent_list = list;
	}
	if (strcmp(image, f->ask->settings->image) != 0)
		add_image(f, FACT_AGENT_IMAGES, image, image_field(f, list, c));
	bool made = f->ask->config && plan_is_agent(c);
	json_t *doc = made ? json_incref((json_t *)(uintptr_t)f->ask->config)
		      : f->n_agents++ < AGENTS_MAX ? facts_config(f, c)
						   : NULL;
	if (!doc) {
		f->config_map = true;
		return;
	}
	bool known = json_equal(json_array_get(f->configs, 0), doc); // of the pair
	json_array_append_new(f->configs, doc);
	if (!known)
		facts_read_document(f, doc);
}

// Any container that only looks like the agent is the application's.
static void read_image(struct facts *f, const char *list, const json_t *c)
{
	if (!facts_is_ours(f, list, c))
		add_image(f, FACT_IMAGES, pod_text(c, "image"), image_field(f, list, c));
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
		struct fact *one = facts_add(
			f, FACT_ANNOTATIONS, plain_annotation(f, suffix),
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
			       .files = json_object(),
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
	json_decref(f->files);
	json_decref(f->mounted);
	f->configs = f->seen = f->files = f->mounted = NULL;
}
