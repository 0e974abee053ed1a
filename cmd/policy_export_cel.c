// SPDX-License-Identifier: Apache-2.0
// Policies → sets of checks, and the variables that read an object once.
#include "cmd/policy_export_cel.h"

#include <ctype.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/conf/annotation.h"
#include "webhook/plan.h"
#include "webhook/settings.h"

enum { TEXT_MAX = 4096 };

// --- the variables; a later one may use those before it

#define AGENT_ENV "['" CONFIG_ENV "', '" SOCKET_ENV "']"
#define EACH(list)                                                                       \
	"variables.spec.?" list ".orValue([]).map(c, {'at': dyn('spec." list             \
	"[' + c.name + ']'), 'c': c})"

// docker.io/library/nginx:latest for nginx, without the tag that nobody wrote, and as written.
#define IMAGES(list)                                                                     \
	"(" list ").map(i, {'at': i.at, 'raw': i.raw, 'named': "                         \
	"i.raw.find('^(?:[^/]*[A-Z.:][^/]*|localhost)/')})"                              \
	".map(i, {'at': i.at, 'raw': i.raw, 'host': i.named == '' ? 'docker.io/' : "     \
	"i.named.lowerAscii().replace(':443/', '/'), 'rest': "                           \
	"i.raw.substring(i.named.size())})"                                              \
	".map(i, {'at': i.at, 'raw': i.raw, 'rest': i.rest, 'host': i.host in "          \
	"['index.docker.io/', 'registry-1.docker.io/', 'registry.hub.docker.com/'] ? "   \
	"'docker.io/' : i.host})"                                                        \
	".map(i, {'at': i.at, 'bare': i.host + (i.host == 'docker.io/' && "              \
	"!i.rest.contains('/') ? 'library/' : '') + i.rest, 'raw': "                     \
	"i.raw.contains('/') && i.raw.endsWith('/' + i.rest) ? i.raw : '-'})"            \
	".map(i, {'at': i.at, 'bare': i.bare, 'raw': i.raw, 'value': "                   \
	"i.bare.matches('[:@][^/]*$') ? i.bare : i.bare + ':latest'})"

static const char *ours(struct cel *c);
static const char *notes(struct cel *c);

static const struct {
	const char *name;
	const char *(*make)(struct cel *c); // NULL: it is
	const char *expression;
} library[] = {
	// A pod, or the template of a workload.
	{ "pod", NULL,
	  "has(object.template) ? object.template : "
	  "has(object.spec.jobTemplate) ? object.spec.jobTemplate.spec.template : "
	  "has(object.spec.template) ? object.spec.template : object" },
	{ "is_pod", NULL, "has(object.spec) && has(object.spec.containers)" },
	// Of an update: what was there before is not asked about again.
	{ "old", NULL, "variables.is_pod && oldObject != null ? oldObject : {}" },
	{ "fresh", NULL, "!variables.is_pod || oldObject == null" },
	{ "spec", NULL, "variables.pod.spec" },
	{ "labels", NULL, "variables.pod.?metadata.?labels.orValue({})" },
	{ "annotations", NULL, "variables.pod.?metadata.?annotations.orValue({})" },
	{ "old_annotations", NULL, "variables.old.?metadata.?annotations.orValue({})" },
	{ "namespace_labels", NULL, "namespaceObject.?metadata.?labels.orValue({})" },
	{ "account", NULL,
	  "[variables.spec.?serviceAccountName.orValue(''), "
	  "variables.spec.?serviceAccount.orValue(''), dyn('default')]"
	  ".filter(a, a != '')[0]" },
	// The object's kind and those of the pod's controllers and of their makers.
	{ "owners", NULL,
	  "variables.pod.?metadata.?ownerReferences.orValue([])"
	  ".filter(o, o.?controller.orValue(false)).map(o, string(o.kind))" },
	{ "kinds", NULL,
	  "[request.kind.kind] + variables.owners + "
	  "(variables.owners.exists(k, k == 'ReplicaSet') ? ['Deployment'] : []) "
	  "+ (variables.owners.exists(k, k == 'Job') ? ['CronJob'] : [])" },
	// Owners count where the cluster's own controllers send the pod.
	{ "true_kinds", NULL,
	  "request.userInfo.username.startsWith('system:serviceaccount:kube-system:') || "
	  "request.userInfo.username == 'system:kube-controller-manager' ? "
	  "variables.kinds : [request.kind.kind]" },
	// Containers, each with the name of its field.
	{ "every", NULL,
	  EACH("initContainers") " + " EACH("containers") " + " EACH(
		  "ephemeralContainers") },
	{ "old_containers", NULL,
	  "variables.old.?spec.?initContainers.orValue([]) + "
	  "variables.old.?spec.?containers.orValue([]) + "
	  "variables.old.?spec.?ephemeralContainers.orValue([])" },
	{ "containers", NULL,
	  "variables.every.filter(x, !(x.c in variables.old_containers))" },
	// What has the agent's environment; and what is the agent as the webhook makes it.
	{ "agents", NULL,
	  "variables.every.filter(x, !x.at.startsWith('spec.eph') && "
	  "x.c.?env.orValue([]).exists(e, e.name in " AGENT_ENV "))" },
	{ "ours", ours, NULL },
	{ "apps", NULL,
	  "variables.containers.filter(x, !variables.ours.exists(o, o.at == "
	  "x.at))" },
	{ "mounts", NULL,
	  "variables.apps.map(x, x.c.?volumeMounts.orValue([]).map(m, m.name))" },
	{ "volumes", NULL, "variables.spec.?volumes.orValue([])" },
	{ "config_map", NULL,
	  "variables.agents.exists(x, !x.c.env.exists(e, e.name == '" CONFIG_ENV "'))" },
	{ "old_agents", NULL,
	  "(variables.old.?spec.?initContainers.orValue([]) + "
	  "variables.old.?spec.?containers.orValue([]))"
	  ".filter(o, o.?env.orValue([]).exists(e, e.name in " AGENT_ENV "))" },
	{ "injected", NULL, "variables.old_agents.size() > 0" },
	// Annotations of ours and the peers'; of an update those that are new.
	{ "notes", notes, NULL },
	{ "secret_prefixes", NULL, "['secret-', 'env-']" },
	{ "store", NULL,
	  "variables.annotations[?'ampoule.dev/stores'].orValue('').split(',')[0]"
	  ".trim()" },
	{ "templates", NULL,
	  "variables.notes.filter(n, n.name.startsWith('template-') && "
	  "!n.name.matches('^template-(?:file|left-delim|right-delim|config|"
	  "static)-'))" },
	{ "literal_tokens", cel_literal_tokens, NULL },
	{ "literal_inside", cel_literal_inside, NULL },
	{ "literal_names", cel_literal_names, NULL },
	{ "images", NULL,
	  IMAGES("variables.apps.map(x, {'at': x.at + '.image', 'raw': "
		 "string(x.c.?image.orValue(''))}) + (variables.fresh ? "
		 "variables.volumes.filter(v, v.?image.?reference.hasValue())"
		 ".map(v, {'at': 'spec.volumes[' + v.name + '].image', 'raw': "
		 "string(v.image.reference)}) : [])") },
	{ "agent_images", NULL,
	  IMAGES("variables.notes.filter(n, n.suffix in ['image', "
		 "'agent-image']).map(n, {'at': n.at, 'raw': n.value})") },
};

static void add_variable(struct cel *c, struct cel_set *set, const char *name,
			 const char *expression)
{
	set->variables = pool_append(&c->pool, set->variables, &set->n_variables,
				     sizeof(*set->variables));
	set->variables[set->n_variables - 1] = (struct cel_variable){ name, expression };
}

// The agent by its name, program and, where the settings are known, image.
static const char *ours(struct cel *c)
{
	const struct settings *s = c->ask->settings;
	const char *image = s && s->image ? cel_quote(&c->pool, s->image) : NULL;
	return pool_printf(&c->pool,
			   "variables.agents.filter(x, x.c.name in ['" AGENT_NAME
			   "', '" AGENT_INIT_NAME
			   "'] && x.c.?command.orValue([]) == ['" AGENT_PATH "']%s%s)",
			   image ? " && x.c.image == " : "", image ? image : "");
}

const char *cel_prefixes(struct cel *c)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	for (enum annotation_prefix p = PREFIX_NONE + 1; p < PREFIX_COUNT; p++)
		buf_printf(&b, "%s%s", p == PREFIX_NONE + 1 ? "^(?:" : "|",
			   cel_glob(&c->pool, annotation_prefix_text(p), ""));
	buf_puts(&b, ")");
	return cel_quote(&c->pool, buf_str(&b));
}

// `name` is the peer's suffix without its "agent-" and "inject-".
static const char *notes(struct cel *c)
{
	return pool_printf(
		&c->pool,
		"variables.annotations.filter(k, k.matches(%s) && "
		"!k.endsWith('inject-status') && k != '" LONG_CONFIG "' && (!(k in "
		"variables.old_annotations) || variables.old_annotations[k] != "
		"variables.annotations[k])).map(k, {'key': string(k), 'suffix': "
		"string(k).substring(k.indexOf('/') + 1), 'value': "
		"string(variables.annotations[k])})"
		".map(n, {'at': 'metadata.annotations[' + n.key + ']', 'key': n.key, "
		"'suffix': n.suffix, 'value': n.value, 'name': "
		"n.suffix.startsWith('agent-inject-') ? n.suffix.substring(13) : "
		"n.suffix.startsWith('agent-') ? n.suffix.substring(6) : n.suffix})",
		cel_prefixes(c));
}

static void add_library(struct cel *c, struct cel_set *set)
{
	for (size_t i = 0; i < ARRAY_LEN(library); i++)
		add_variable(c, set, library[i].name,
			     library[i].make ? library[i].make(c)
					     : library[i].expression);
}

// --- what of it is needed

static bool names(const char *text, const char *variable)
{
	static const char prefix[] = "variables.";
	size_t len = strlen(variable);
	for (const char *at = text; at && (at = strstr(at, prefix));) {
		at += sizeof(prefix) - 1;
		if (strncmp(at, variable, len) == 0 && !isalnum((unsigned char)at[len]) &&
		    at[len] != '_')
			return true;
	}
	return false;
}

struct cel_variable *cel_needed(struct cel *c, const struct cel_set *set,
				enum policy_mode mode, size_t *ret_n)
{
	bool *needed = pool_alloc(&c->pool, set->n_variables + 1);
	struct cel_variable *list =
		pool_alloc(&c->pool, (set->n_variables + 1) * sizeof(*list));
	memset(needed, 0, set->n_variables + 1);
	for (size_t i = set->n_variables; i-- > 0;) {
		const char *name = set->variables[i].name;
		for (size_t k = 0; k < set->n_checks && !needed[i]; k++) {
			const struct cel_check *one = &set->checks[k];
			needed[i] = (mode == POLICY_OFF || one->mode == mode) &&
				    (names(one->places, name) || names(one->when, name));
		}
		for (size_t k = i + 1; k < set->n_variables && !needed[i]; k++)
			needed[i] =
				needed[k] && names(set->variables[k].expression, name);
	}
	*ret_n = 0;
	for (size_t i = 0; i < set->n_variables; i++)
		if (needed[i])
			list[(*ret_n)++] = set->variables[i];
	return list;
}

// --- policies

static struct cel_set *add_set(struct cel *c, const char *name)
{
	c->sets = pool_append(&c->pool, c->sets, &c->n_sets, sizeof(*c->sets));
	struct cel_set *set = &c->sets[c->n_sets - 1];
	*set = (struct cel_set){ .name = name, .workloads = POLICY_WARN };
	add_library(c, set);
	return set;
}

static void add_when(struct cel *c, struct cel_check *check, const char *condition)
{
	check->when = check->when
			      ? pool_printf(&c->pool, "%s && %s", check->when, condition)
			      : condition;
}

// Exemptions that still count, as variables that their rules ask first.
static void add_exemptions(struct cel *c, struct cel_set *set)
{
	const struct policy *p = set->policy;
	for (size_t i = 0; i < p->n_exempt; i++) {
		const struct exemption *x = &p->exempt[i];
		const char *name = pool_printf(&c->pool, "exempt_%zu", i + 1);
		if (x->until_ms <= c->ask->now_ms)
			continue;
		add_variable(c, set, name, cel_selector(&c->pool, &x->who, false));
		for (size_t k = 0; k < set->n_checks; k++)
			if (!x->rules.given ||
			    patterns_match(&x->rules, set->checks[k].rule, "."))
				add_when(c, &set->checks[k],
					 pool_printf(&c->pool, "!variables.%s", name));
	}
}

// Whether the policy is for the object: asked by each check, before all else.
static void add_applies(struct cel *c, struct cel_set *set)
{
	const struct policy *p = set->policy;
	const char *match = cel_selector(&c->pool, &p->match, true);
	const char *text =
		p->has_exclude ? pool_printf(&c->pool, "%s && !(%s)", match,
					     cel_selector(&c->pool, &p->exclude, false))
			       : match;
	if (strcmp(text, "true") == 0)
		return;
	add_variable(c, set, "applies", text);
	for (size_t k = 0; k < set->n_checks; k++)
		add_when(c, &set->checks[k], "variables.applies");
}

static void add_purpose(struct cel *c, const struct purpose *p)
{
	const struct policies *ps = c->ask->policies;
	struct cel_set *set = add_set(c, pool_printf(&c->pool, "purpose-%s", p->name));
	for (size_t i = 0; i < ps->n_purposes; i++)
		add_variable(c, set, pool_printf(&c->pool, "purpose_%zu", i + 1),
			     cel_selector(&c->pool, &ps->purposes[i].who, false));
	cel_purpose_rules(c, set, p);
}

void cel_make(const struct export_ask *ask, struct cel *ret)
{
	const struct policies *ps = ask->policies;
	*ret = (struct cel){ .ask = ask };
	struct cel_set *kept = add_set(ret, "injected-pods");
	kept->everywhere = true;
	kept->workloads = POLICY_OFF;
	cel_update_rules(ret, kept);
	for (size_t i = 0; i < ps->n_policies; i++) {
		struct cel_set *set = add_set(ret, ps->policies[i].name);
		set->policy = &ps->policies[i];
		set->workloads = ps->policies[i].workloads;
		cel_rules(ret, set, set->policy);
		add_exemptions(ret, set);
		add_applies(ret, set);
	}
	for (size_t i = 0; i < ps->n_purposes; i++)
		add_purpose(ret, &ps->purposes[i]);
}

void cel_release(struct cel *c)
{
	pool_release(&c->pool);
}
