// SPDX-License-Identifier: Apache-2.0
// What the agent must refuse itself: for each policy that is for the pod, its rules about paths,
// functions and lifetimes, as `restrict` stanzas of the agent's configuration.
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "webhook/policy_int.h"

static bool is_exempt(const struct policy *p, const char *rule, const struct identity *id,
		      int64_t now_ms)
{
	for (size_t i = 0; i < p->n_exempt; i++) {
		const struct exemption *x = &p->exempt[i];
		if (now_ms > 0 && x->until_ms > now_ms &&
		    (!x->rules.given || patterns_match(&x->rules, rule, ".")) &&
		    selector_matches(&x->who, id, false))
			return true;
	}
	return false;
}

void patterns_put(json_t *to, const char *key, const struct patterns *list)
{
	json_t *texts = json_array();
	for (size_t i = 0; i < list->n; i++)
		json_array_append_new(texts, json_string(list->list[i]));
	if (list->given)
		json_object_set(to, key, texts);
	json_decref(texts);
}

// The agent enforces unless it is told otherwise.
static void put_name(json_t *o, const char *name, enum policy_mode mode)
{
	json_object_set_new(o, "name", json_string(name));
	if (mode != POLICY_ENFORCE)
		json_object_set_new(o, "mode", json_string(policy_mode_name(mode)));
}

static void restrict_by(const struct policy *p, const struct identity *id, int64_t now_ms,
			json_t *list)
{
	const struct {
		const char *key, *rule;
		const struct patterns *patterns;
	} parts[] = {
		{ "allow_paths", "allow.paths", &p->allow[FACT_PATHS] },
		{ "deny_paths", "deny.paths", &p->deny[FACT_PATHS] },
		{ "allow_functions", "allow.functions", &p->allow[FACT_FUNCTIONS] },
		{ "deny_functions", "deny.functions", &p->deny[FACT_FUNCTIONS] },
	};
	json_t *o = json_object();
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (!is_exempt(p, parts[i].rule, id, now_ms))
			patterns_put(o, parts[i].key, parts[i].patterns);
	if (p->limits[LIMIT_TTL] > 0 && !is_exempt(p, "limits.max_ttl", id, now_ms)) {
		AUTO_FREE char *ttl =
			mem_printf("%lldms", (long long)p->limits[LIMIT_TTL]);
		json_object_set_new(o, "max_ttl", json_string(ttl));
	}
	if (json_object_size(o) > 0) {
		put_name(o, p->name, p->mode);
		json_array_append(list, o);
	}
	json_decref(o);
}

// A store as all of its paths.
static void put_bound(json_t *to, enum policy_fact kind, const struct patterns *list)
{
	for (size_t i = 0; i < list->n; i++) {
		AUTO_FREE char *pattern =
			mem_printf(kind == FACT_STORES ? "%s:**" : "%s", list->list[i]);
		json_array_append_new(to, json_string(pattern));
	}
}

// What another purpose binds of a kind, but for what the pod's own purposes bind of it.
static void restrict_kind(const struct policies *ps, const struct purpose *p,
			  enum policy_fact kind, const struct identity *id, json_t *list)
{
	json_t *deny = json_array(), *except = json_array();
	put_bound(deny, kind, &p->binds[kind]);
	for (size_t i = 0; i < ps->n_purposes; i++)
		if (selector_matches(&ps->purposes[i].who, id, false))
			put_bound(except, kind, &ps->purposes[i].binds[kind]);
	if (json_array_size(deny) > 0) {
		json_t *o = json_object();
		put_name(o, p->name, p->mode);
		json_object_set(o, "deny_paths", deny);
		if (json_array_size(except) > 0)
			json_object_set(o, "except_paths", except);
		json_array_append_new(list, o);
	}
	json_decref(deny);
	json_decref(except);
}

static void restrict_purpose(const struct policies *ps, const struct purpose *p,
			     const struct identity *id, json_t *list)
{
	if (p->mode == POLICY_OFF)
		return;
	restrict_kind(ps, p, FACT_PATHS, id, list);
	restrict_kind(ps, p, FACT_STORES, id, list);
}

void policies_restrict(const struct policies *ps, const struct policy_ask *ask,
		       json_t *doc)
{
	struct identity id;
	json_t *list;
	if (policies_count(ps) == 0)
		return;
	list = json_array();
	identity_of(ask, &id);
	for (size_t i = 0; i < ps->n_policies; i++) {
		const struct policy *p = &ps->policies[i];
		if (p->mode != POLICY_OFF && selector_matches(&p->match, &id, true) &&
		    !(p->has_exclude && selector_matches(&p->exclude, &id, false)))
			restrict_by(p, &id, ask->now_ms, list);
	}
	for (size_t i = 0; i < ps->n_purposes; i++)
		if (!selector_matches(&ps->purposes[i].who, &id, false))
			restrict_purpose(ps, &ps->purposes[i], &id, list);
	if (json_array_size(list) > 0)
		json_object_set(doc, "restrict", list);
	json_decref(list);
}
