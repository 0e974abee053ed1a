// SPDX-License-Identifier: Apache-2.0
// Policy files → struct policies. Strict: an unknown key is an error with the nearest name, for
// a rule that is misspelt guards nothing.
#include <string.h>
#include <strings.h>

#include "lib/base/str.h"
#include "lib/conf/hcl.h"
#include "webhook/policy_read.h"

static bool read_facts(struct reading *r, const struct node *policy, const char *key,
		       struct patterns *to)
{
	const char *const *facts = policy_fact_names();
	const struct node *body;
	if (!read_block(r, policy, key, &body))
		return false;
	for (const struct node *n = body ? body->first : NULL; n; n = n->next) {
		size_t i = 0;
		while (i < FACT_COUNT && !node_key_is(n, facts[i]))
			i++;
		if (i == FACT_COUNT)
			return read_unknown_key(r, n, facts, FACT_COUNT);
		if (!read_list(r, n, &to[i]))
			return false;
	}
	return true;
}

static bool read_limit(struct reading *r, const struct node *n, size_t i, int64_t *ret)
{
	struct err why = ERR_INIT;
	uint64_t size = 0;
	bool is_time = i == LIMIT_INTERVAL || i == LIMIT_TTL;
	const char *text = n->kind == NODE_STRING || n->kind == NODE_INT ? n->text : NULL;
	if (!text ||
	    (is_time ? !str_duration_ms(text, ret, &why) : !str_size(text, &size, &why)))
		return node_err(n, r->e, "%s",
				text      ? why.text
				: is_time ? "a duration is wanted: \"30s\""
					  : "a number is wanted");
	if (!is_time)
		*ret = (int64_t)(size > INT32_MAX ? INT32_MAX : size);
	return true;
}

static bool read_limits(struct reading *r, const struct node *policy, int64_t *to)
{
	const char *const *limits_ = policy_limit_names();
	const struct node *body;
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		to[i] = -1;
	if (!read_block(r, policy, "limits", &body))
		return false;
	for (const struct node *n = body ? body->first : NULL; n; n = n->next) {
		size_t i = 0;
		while (i < LIMIT_COUNT && !node_key_is(n, limits_[i]))
			i++;
		if (i == LIMIT_COUNT)
			return read_unknown_key(r, n, limits_, LIMIT_COUNT);
		if (!read_limit(r, n, i, &to[i]))
			return false;
	}
	return true;
}

static bool read_forbid(struct reading *r, const struct node *policy, struct policy *p)
{
	const char *const *forbids = policy_forbid_names();
	const struct node *body;
	if (!read_block(r, policy, "forbid", &body))
		return false;
	for (const struct node *n = body ? body->first : NULL; n; n = n->next) {
		size_t i = 0;
		while (i < FORBID_COUNT && !node_key_is(n, forbids[i]))
			i++;
		if (i == FORBID_COUNT)
			return read_unknown_key(r, n, forbids, FORBID_COUNT);
		if (!read_mode(r, n, p->mode, &p->forbid[i]))
			return false;
	}
	return true;
}

static bool read_require(struct reading *r, const struct node *policy, struct policy *p)
{
	static const char *const names[] = { "inject" };
	const struct node *body;
	if (!read_block(r, policy, "require", &body))
		return false;
	for (const struct node *n = body ? body->first : NULL; n; n = n->next) {
		if (!node_key_is(n, names[0]))
			return read_unknown_key(r, n, names, ARRAY_LEN(names));
		if (!read_mode(r, n, p->mode, &p->require_inject))
			return false;
	}
	return true;
}

// --- exemptions

static const char *const exempt_keys[] = { "owner", "until",      "reason",
					   "rules", "namespaces", "service_accounts",
					   "kinds", "labels",     "namespace_labels" };

static bool is_exempt_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(exempt_keys); i++)
		if (strcasecmp(name, exempt_keys[i]) == 0)
			return true;
	return false;
}

static bool read_exemption(struct reading *r, const struct node_block *b,
			   struct exemption *x)
{
	bool known;
	x->name = b->label ? b->label : "";
	for (const struct node *n = b->body->first; n; n = n->next) {
		bool ok;
		if (node_key_is(n, "owner"))
			ok = read_text(r, n, &x->owner);
		else if (node_key_is(n, "until"))
			ok = read_day(r, n, &x->until_ms);
		else if (node_key_is(n, "reason"))
			ok = read_text(r, n, &x->reason);
		else if (node_key_is(n, "rules"))
			ok = read_list(r, n, &x->rules);
		else
			ok = read_selector_key(r, n, &x->who, &known) &&
			     (known || read_unknown_key(r, n, exempt_keys,
							ARRAY_LEN(exempt_keys)));
		if (!ok)
			return false;
	}
	if (!b->label)
		return node_err(b->body, r->e,
				"an exemption has a name: exempt \"legacy\" {…}");
	if (!x->owner)
		return node_err(b->body, r->e,
				"owner is missing: who answers for this exemption");
	return x->until_ms ||
	       node_err(b->body, r->e,
			"until is missing: the last day of this exemption, as "
			"\"2027-01-31\"");
}

static bool read_exemptions(struct reading *r, const struct node *body, struct policy *p)
{
	struct node_blocks blocks = { 0 };
	if (!node_collect(&r->ps->pool, body, "exempt", is_exempt_key, &blocks, r->e))
		return false;
	for (size_t i = 0; i < blocks.n; i++) {
		p->exempt = pool_append(&r->ps->pool, p->exempt, &p->n_exempt,
					sizeof(*p->exempt));
		struct exemption *x = &p->exempt[p->n_exempt - 1];
		if (!read_exemption(r, &blocks.list[i], x))
			return false;
		for (size_t k = 0; k < x->rules.n; k++)
			if (!policy_rule_exists(x->rules.list[k]))
				return node_err(node_place(blocks.list[i].body, "rules"),
						r->e,
						"there is no rule '%.60s'; an example: "
						"forbid.env_secrets",
						x->rules.list[k]);
	}
	return true;
}

// --- policies and purposes

static const char *const policy_keys[] = { "mode",  "workloads", "owner",   "help",
					   "match", "exclude",   "require", "allow",
					   "deny",  "limits",    "forbid",  "exempt" };
static const char *const purpose_keys[] = { "mode",
					    "namespaces",
					    "service_accounts",
					    "kinds",
					    "labels",
					    "namespace_labels",
					    "stores",
					    "store_namespaces",
					    "addresses",
					    "roles",
					    "paths" };

static bool is_policy_key(const char *name)
{
	return policy_word_among(name, policy_keys, ARRAY_LEN(policy_keys));
}

static bool is_purpose_key(const char *name)
{
	return policy_word_among(name, purpose_keys, ARRAY_LEN(purpose_keys));
}

static bool read_heads(struct reading *r, const struct node *body, struct policy *p)
{
	const struct {
		const char *key;
		const char **to;
	} texts[] = { { "owner", &p->owner }, { "help", &p->help } };
	for (const struct node *n = body->first; n; n = n->next)
		if (!is_policy_key(n->key))
			return read_unknown_key(r, n, policy_keys,
						ARRAY_LEN(policy_keys));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct node *n = node_get(body, texts[i].key);
		if (n && !read_text(r, n, texts[i].to))
			return false;
	}
	const struct node *mode = node_get(body, "mode"),
			  *workloads = node_get(body, "workloads");
	p->mode = POLICY_ENFORCE;
	p->workloads = POLICY_WARN;
	return (!mode || read_mode(r, mode, POLICY_OFF, &p->mode)) &&
	       (!workloads || read_mode(r, workloads, POLICY_OFF, &p->workloads));
}

static void share_list(struct patterns *p, const struct patterns *other)
{
	size_t same = 0;
	if (p->n == 0 || p->n != other->n || p->list == other->list)
		return;
	while (same < p->n && strcmp(p->list[same], other->list[same]) == 0)
		same++;
	if (same == p->n)
		p->list = other->list;
}

// Equal lists of many policies become one, so that a pod's facts are held to it once.
static void share(struct policies *ps, size_t at)
{
	struct policy *p = &ps->policies[at];
	for (size_t k = 0; k < at; k++)
		for (size_t i = 0; i < FACT_COUNT; i++) {
			share_list(&p->allow[i], &ps->policies[k].allow[i]);
			share_list(&p->deny[i], &ps->policies[k].deny[i]);
		}
}

bool policy_ready(struct policy *p)
{
	bool any = p->require_inject != POLICY_OFF;
	for (size_t i = 0; i < FACT_COUNT; i++)
		p->facts |= (unsigned)(p->allow[i].given || p->deny[i].given) << i;
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		any |= p->limits[i] >= 0;
	for (size_t i = 0; i < FORBID_COUNT; i++)
		p->forbids |= (unsigned)(p->forbid[i] != POLICY_OFF) << i;
	return any || p->facts || p->forbids;
}

static bool read_policy(struct reading *r, const struct node_block *b, struct policy *p)
{
	p->name = b->label;
	p->file = r->file;
	if (!b->label || !*b->label || strlen(b->label) > 63)
		return node_err(b->body, r->e,
				"a policy has a name of at most 63 letters: policy "
				"\"baseline\" {…}");
	if (!read_heads(r, b->body, p) ||
	    !read_selector(r, b->body, "match", &p->match, NULL) ||
	    !read_selector(r, b->body, "exclude", &p->exclude, &p->has_exclude) ||
	    !read_require(r, b->body, p) || !read_facts(r, b->body, "allow", p->allow) ||
	    !read_facts(r, b->body, "deny", p->deny) ||
	    !read_limits(r, b->body, p->limits) || !read_forbid(r, b->body, p) ||
	    !read_exemptions(r, b->body, p))
		return false;
	return policy_ready(p) ||
	       node_err(b->body, r->e,
			"it has no rule: require, allow, deny, limits or forbid");
}

static bool read_purpose(struct reading *r, const struct node_block *b, struct purpose *p)
{
	const char *const *facts = policy_fact_names();
	bool known, binds = false;
	p->name = b->label;
	p->mode = POLICY_ENFORCE;
	if (!b->label || !*b->label || strlen(b->label) > 63)
		return node_err(b->body, r->e,
				"a purpose has a name of at most 63 letters: purpose "
				"\"build\" {…}");
	for (const struct node *n = b->body->first; n; n = n->next) {
		if (node_key_is(n, "mode")) {
			if (!read_mode(r, n, POLICY_OFF, &p->mode))
				return false;
			continue;
		}
		if (!read_selector_key(r, n, &p->who, &known))
			return false;
		for (size_t i = 0; !known && i < ARRAY_LEN(p->binds); i++)
			if (node_key_is(n, facts[i])) {
				known = binds = true;
				if (!read_list(r, n, &p->binds[i]))
					return false;
			}
		if (!known)
			return read_unknown_key(r, n, purpose_keys,
						ARRAY_LEN(purpose_keys));
	}
	if (!p->who.namespaces.given && !p->who.service_accounts.given &&
	    !p->who.kinds.given && !p->who.n_labels && !p->who.n_namespace_labels)
		return node_err(b->body, r->e,
				"it does not say whom it is for: namespaces, "
				"service_accounts or labels");
	return binds || node_err(b->body, r->e,
				 "it binds nothing: stores, addresses, roles or paths");
}

static bool read_policies(struct reading *r, const struct node *root)
{
	struct node_blocks blocks = { 0 };
	struct policies *ps = r->ps;
	if (!node_collect(&ps->pool, root, "policy", is_policy_key, &blocks, r->e))
		return false;
	for (size_t i = 0; i < blocks.n; i++) {
		const struct node_block *b = &blocks.list[i];
		for (size_t k = 0; k < ps->n_policies; k++)
			if (b->label && strcmp(ps->policies[k].name, b->label) == 0)
				return node_err(b->body, r->e,
						"a second policy '%.63s' (the other is "
						"in %.100s)",
						b->label, ps->policies[k].file);
		if (ps->n_policies >= POLICIES_MAX)
			return node_err(b->body, r->e, "more than %d policies",
					POLICIES_MAX);
		ps->policies = pool_append(&ps->pool, ps->policies, &ps->n_policies,
					   sizeof(*ps->policies));
		if (!read_policy(r, b, &ps->policies[ps->n_policies - 1]))
			return false;
		share(ps, ps->n_policies - 1);
	}
	return true;
}

static bool read_purposes(struct reading *r, const struct node *root)
{
	struct node_blocks blocks = { 0 };
	struct policies *ps = r->ps;
	if (!node_collect(&ps->pool, root, "purpose", is_purpose_key, &blocks, r->e))
		return false;
	for (size_t i = 0; i < blocks.n; i++) {
		if (ps->n_purposes >= POLICIES_MAX)
			return node_err(blocks.list[i].body, r->e,
					"more than %d purposes", POLICIES_MAX);
		ps->purposes = pool_append(&ps->pool, ps->purposes, &ps->n_purposes,
					   sizeof(*ps->purposes));
		if (!read_purpose(r, &blocks.list[i], &ps->purposes[ps->n_purposes - 1]))
			return false;
	}
	return true;
}

static void note_wants(struct policies *ps)
{
	for (size_t i = 0; i < ps->n_policies; i++) {
		const struct policy *p = &ps->policies[i];
		for (size_t k = 0; k < FACT_COUNT; k++)
			ps->wants[k] |= p->facts >> k & 1;
		ps->wants_words |= p->limits[LIMIT_TTL] >= 0;
		ps->wants[FACT_ANNOTATIONS] |= p->forbid[FORBID_OVERRIDES] != POLICY_OFF;
	}
	for (size_t i = 0; i < ps->n_purposes; i++)
		for (size_t k = 0; k < ARRAY_LEN(ps->purposes[i].binds); k++)
			ps->wants[k] |= ps->purposes[i].binds[k].given;
	ps->wants_words |= ps->wants[FACT_PATHS] || ps->wants[FACT_FUNCTIONS];
}

bool policies_add(struct policies *ps, const char *file, const char *text, size_t len,
		  bool alone, struct err *e)
{
	static const char *const tops[] = { "policy", "purpose" };
	struct reading r = { ps, pool_strdup(&ps->pool, file), e };
	const struct node *root;
	if (!hcl_parse(&ps->pool, r.file, text, len, &root, e))
		return false;
	if (root->kind != NODE_OBJECT)
		return node_err(root, e, "policies are blocks: policy \"name\" {…}");
	for (const struct node *n = root->first; alone && n; n = n->next)
		if (!policy_word_among(n->key, tops, ARRAY_LEN(tops)))
			return read_unknown_key(&r, n, tops, ARRAY_LEN(tops));
	bool ok = read_policies(&r, root) && read_purposes(&r, root);
	note_wants(ps);
	return ok;
}
