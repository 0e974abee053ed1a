// SPDX-License-Identifier: Apache-2.0
// allow, deny, limits and purposes in CEL: over what stands in annotations and containers. What
// the operator's configuration adds is not seen.
#include <string.h>

#include "cmd/policy_export_cel.h"
#include "lib/base/str.h"
#include "lib/conf/annotation.h"

enum { TEXT_MAX = 256 * 1024 };

// A path as "store:path", as a list of one. A store that nobody has named is "".
#define PATH_OF(text)                                                                    \
	"[" text ".split('#')[0].split('?')[0].trim()].map(p, "                          \
	"p.matches('^[A-Za-z0-9_-]+:') && !p.startsWith('arn:') ? p : variables.store "  \
	"+ ':' + p)"
#define PATH_ODD "[\\x00-\\x20\\x7f%\\\\]|[^/:]//+[^/]|(?:^|[/:])\\.{1,2}(?:/|$)|:/*$"

// How a value is found: `list` of maps with `at` and what `forms` asks for; `forms` is the list
// of texts of which one is enough, or with `each` of which every one counts.
static const struct kind {
	const char *list, *forms, *what, *separators;
	const char *odd; // of a form that only hides something
	bool each;
} kinds[FACT_COUNT] = {
	[FACT_STORES] = { "variables.notes.filter(f, f.suffix == 'stores')",
			  "f.value.split(',').map(s, s.trim())", "the store", "", NULL,
			  true },
	[FACT_STORE_NAMESPACES] = { "variables.notes.filter(f, f.suffix == 'namespace')",
				    "[f.value]", "the store's namespace", "/", NULL,
				    false },
	[FACT_ADDRESSES] = { "variables.notes.filter(f, f.suffix == 'service')",
			     "[f.value.lowerAscii().find('^.*[^/]')].map(a, "
			     "a.matches('^https://.*:443$') ? a.substring(0, a.size() - "
			     "4) "
			     ": a.matches('^http://.*:80$') ? a.substring(0, a.size() - "
			     "3) "
			     ": a)",
			     "the address", "/:", "[@?#\\\\% \\t\\n]", false },
	[FACT_ROLES] = { "variables.notes.filter(f, f.suffix in ['role', "
			 "'auth-config-role'])",
			 "[f.value]", "the role", "", NULL, false },
	[FACT_PATHS] = { "variables.notes.filter(f, variables.secret_prefixes"
			 ".exists(p, f.name.startsWith(p)) && "
			 "!f.name.startsWith('secret-volume-path') && f.name != "
			 "'env-containers')",
			 PATH_OF("f.value.split('|')[0]"), "the path", "/", PATH_ODD,
			 true },
	[FACT_IMAGES] = { "variables.images", "[f.value, f.bare, f.raw]", "the image",
			  "/", NULL, false },
	[FACT_AGENT_IMAGES] = { "variables.agent_images", "[f.value, f.bare, f.raw]",
				"the agent's image", "/", NULL, false },
	[FACT_ANNOTATIONS] = { "variables.notes.map(n, {'at': n.at, 'key': n.key, "
			       "'value': "
			       "n.suffix, 'lower': n.suffix.startsWith('auth-config-') ? "
			       "n.suffix.lowerAscii() : n.suffix})",
			       "[f.lower, f.key]", "the annotation", "", NULL, false },
};

static const char *matches(struct cel *c, enum policy_fact fact, const struct patterns *p,
			   bool deny)
{
	return fact == FACT_PATHS ? cel_matches_path(&c->pool, "v", p, deny)
				  : cel_matches(&c->pool, "v", p, kinds[fact].separators);
}

// The places where `condition` holds of v, one form of a value.
static const char *places(struct cel *c, const struct kind *k, const char *condition,
			  bool all)
{
	const char *odd =
		k->odd ? pool_printf(&c->pool, "%s.exists(v, v.matches(%s)) || ",
				     k->forms, cel_quote(&c->pool, k->odd))
		       : "";
	return pool_printf(
		&c->pool,
		"%s.filter(f, %s%s%s.exists(v, %s)).map(f, f.at + %s + f.value + "
		"'\\'')",
		k->list, odd, all ? "!" : "", k->forms, condition,
		cel_quote(&c->pool, pool_printf(&c->pool, ": %s '", k->what)));
}

// The same for paths that stand in templates' texts as literals.
static const char *template_places(struct cel *c, const char *condition)
{
	return pool_printf(
		&c->pool,
		"variables.templates.filter(t, t.value.findAll(%s)"
		".exists(m, " PATH_OF(
			"m.find('[^\"`]*$')") ".exists(v, v.matches(%s) || %s)))"
					      ".map(t, t.at + ': a path in the "
					      "template')",
		cel_quote(&c->pool, "(?:^|[^A-Za-z0-9_.$])(?:secrets?|pkiCert|write)\\s+["
				    "\"`][^\"`]*"),
		cel_quote(&c->pool, PATH_ODD), condition);
}

static const char not_seen[] = "(variables.config_map ? ['metadata.annotations: "
			       "agent-configmap, at which nobody "
			       "can look here'] : [])";
static const char around[] =
	"variables.notes.filter(n, n.suffix in ['cache-enable', 'agent-cache-enable', "
	"'inject-token', 'agent-inject-token'] && n.value.lowerAscii() in ['true', '1', "
	"'t']).map(n, n.at + ': a way to any path')";

// --- functions that a template calls: outside of its texts

static const char *function_places(struct cel *c, const struct patterns *p)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	buf_puts(&b,
		 "\\{\\{(?:(?:[^\"`}/]|\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)*?[\\s(|-])?(?:");
	for (size_t i = 0; i < p->n; i++)
		buf_printf(&b, "%s%s", i ? "|" : "",
			   cel_glob(&c->pool, p->list[i], "\\s(){}|.\"`"));
	buf_puts(&b, ")[\\s)|}\"`-]");
	return pool_printf(
		&c->pool,
		"variables.templates.filter(t, t.value.matches(%s)).map(t, t.at)",
		cel_quote(&c->pool, buf_str(&b)));
}

// --- allow and deny

// Annotations by any of their names: the patterns, and those of the same rows' other names.
static struct patterns all_names(struct cel *c, const struct patterns *p)
{
	static const enum annotation_prefix prefixes[] = { PREFIX_VAULT, PREFIX_OURS };
	struct patterns all = { NULL, 0, true };
	for (size_t i = 0; i < p->n; i++) {
		const char *n = NULL;
		all.list = pool_append(&c->pool, all.list, &all.n, sizeof(*all.list));
		all.list[all.n - 1] = p->list[i];
		for (size_t k = 0; k < ARRAY_LEN(prefixes); k++) {
			const struct option_row *row =
				annotation_find(prefixes[k], p->list[i], &n);
			const char *other =
				row ? annotation_name(row, prefixes[1 - k]) : NULL;
			if (!other)
				continue;
			all.list = pool_append(&c->pool, all.list, &all.n,
					       sizeof(*all.list));
			all.list[all.n - 1] =
				pool_printf(&c->pool, "%.*s%s", (int)strcspn(other, "<"),
					    other, n ? n : "");
		}
	}
	return all;
}

static const char *fact_places(struct cel *c, enum policy_fact fact,
			       const struct patterns *given, bool deny)
{
	const struct kind *k = &kinds[fact];
	if (fact == FACT_FUNCTIONS)
		return deny ? function_places(c, given) : NULL;
	struct patterns p = fact == FACT_ANNOTATIONS ? all_names(c, given) : *given;
	const char *one = matches(c, fact, &p, deny);
	if (!deny && k->each)
		one = pool_printf(&c->pool, "!%s", one);
	const char *list = places(c, k, one, !deny && !k->each);
	if (fact == FACT_PATHS)
		list = pool_printf(&c->pool, "%s + %s + %s", list,
				   template_places(c, one), around);
	return fact <= FACT_FUNCTIONS ? pool_printf(&c->pool, "%s + %s", list, not_seen)
				      : list;
}

void cel_fact_rules(struct cel *c, struct cel_set *set, const struct policy *p)
{
	for (enum policy_fact i = 0; i < FACT_COUNT; i++)
		for (int deny = 1; deny >= 0; deny--) {
			const struct patterns *list = deny ? &p->deny[i] : &p->allow[i];
			const char *text =
				list->given ? fact_places(c, i, list, deny) : NULL;
			struct cel_check check = {
				.rule = pool_printf(&c->pool, "%s.%s",
						    deny ? "deny" : "allow",
						    policy_fact_name(i)),
				.mode = p->mode,
				.places = text,
				.remedy =
					deny ? "denied by the policy; use another, or "
					       "ask "
					       "its owner"
					     : "not allowed by the policy; use another, "
					       "or ask its owner",
			};
			if (text)
				cel_add_check(c, set, &check);
		}
}

// --- limits

#define DURATION(text)                                                                   \
	"(" text ".matches('^[0-9]{1,6}$') ? duration(" text " + 's') : " text           \
	".matches('^(?:[0-9]{1,6}(?:ms|s|m|h))+$') ? duration(" text ") : "

static const char *limit_places(struct cel *c, enum policy_limit limit, long long value)
{
	switch (limit) {
	case LIMIT_INTERVAL:
		return pool_printf(
			&c->pool,
			"variables.notes.filter(n, (n.name.startsWith('interval-') || "
			"n.name == 'template-static-secret-render-interval') "
			"&& " DURATION("n.value") "duration('24h')) < duration('%lldms'))"
						  ".map(n, n.at)",
			value);
	case LIMIT_FILES:
		return pool_printf(
			&c->pool,
			"variables.notes.filter(n, variables.secret_prefixes.exists(p, "
			"n.name.startsWith(p)) && "
			"!n.name.startsWith('secret-volume-path') && n.name != "
			"'env-containers' && (n.key.startsWith('ampoule.dev/') || "
			"!(('ampoule.dev/' + n.name) in variables.annotations))).size() "
			"> "
			"%lld ? ['metadata.annotations'] : []",
			value);
	case LIMIT_TEMPLATE:
		return pool_printf(
			&c->pool,
			"variables.templates.filter(t, bytes(t.value).size() > "
			"%lld).map(t, t.at)",
			value);
	default:
		return pool_printf(
			&c->pool,
			"variables.templates.filter(t, "
			"t.value.findAll('ttl=[0-9][0-9a-z]*').map(m, m.substring(4))"
			".exists(m, " DURATION("m") "duration('0s')) > "
						    "duration('%lldms'))).map(t, t.at)",
			value);
	}
}

void cel_limit_rules(struct cel *c, struct cel_set *set, const struct policy *p)
{
	static const char *const remedies[LIMIT_COUNT] = {
		"it is read too often; choose a longer interval",
		"more files and variables are asked for than the policy allows",
		"its template is longer than the policy allows",
		"it asks for a longer lifetime than the policy allows",
	};
	for (enum policy_limit i = 0; i < LIMIT_COUNT; i++) {
		if (p->limits[i] < 0)
			continue;
		struct cel_check check = {
			.rule = pool_printf(&c->pool, "limits.%s", policy_limit_name(i)),
			.mode = p->mode,
			.places = pool_printf(&c->pool, "(%s) + %s",
					      limit_places(c, i, p->limits[i]), not_seen),
			.remedy = remedies[i],
		};
		cel_add_check(c, set, &check);
	}
}

// --- purposes: what one binds is only for those whom it, or another that binds it, is for

static const char *purpose_condition(struct cel *c, const struct purpose *p,
				     enum policy_fact fact)
{
	const struct policies *ps = c->ask->policies;
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	buf_puts(&b, matches(c, fact, &p->binds[fact], true));
	for (size_t i = 0; i < ps->n_purposes; i++) {
		const struct purpose *q = &ps->purposes[i];
		if (q->binds[fact].n > 0)
			buf_printf(&b, " && !(%s && variables.purpose_%zu)",
				   matches(c, fact, &q->binds[fact], true), i + 1);
	}
	return pool_strdup(&c->pool, buf_str(&b));
}

void cel_purpose_rules(struct cel *c, struct cel_set *set, const struct purpose *p)
{
	for (enum policy_fact i = 0; i <= FACT_PATHS; i++) {
		if (p->binds[i].n == 0)
			continue;
		const char *condition = purpose_condition(c, p, i);
		const char *list = places(c, &kinds[i], condition, false);
		const char *way =
			pool_printf(&c->pool, "(variables.purpose_%zu ? [] : %s)",
				    (size_t)(p - c->ask->policies->purposes) + 1, around);
		struct cel_check check = {
			.rule = "purpose",
			.mode = p->mode,
			.places =
				i == FACT_PATHS
					? pool_printf(&c->pool, "%s + %s + %s", list,
						      template_places(c, condition), way)
					: list,
			.remedy =
				"it is for this purpose alone, and neither the namespace "
				"nor the service account belongs to it",
		};
		cel_add_check(c, set, &check);
	}
}
