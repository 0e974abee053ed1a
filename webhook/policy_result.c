// SPDX-License-Identifier: Apache-2.0
// Findings as a list: their order, which are known, which one decides.
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "webhook/policy_int.h"

static int compare(const void *one, const void *two)
{
	const struct policy_finding *a = one, *b = two;
	int c = strcmp(a->field, b->field);
	c = c ? c : strcmp(a->rule, b->rule);
	c = c ? c : strcmp(a->policy, b->policy);
	return c ? c : strcmp(a->text, b->text);
}

void policy_result_index(struct policy_result *r)
{
	if (r->n > 0)
		qsort(r->findings, r->n, sizeof(*r->findings), compare);
}

bool policy_result_has(const struct policy_result *r, const struct policy_finding *one)
{
	return r->n > 0 && bsearch(one, r->findings, r->n, sizeof(*one), compare);
}

static int compare_hits(const void *one, const void *two)
{
	const struct hit *a = one, *b = two;
	int c = strcmp(a->field, b->field);
	return c ? c : strcmp(a->text, b->text);
}

void hits_index(struct hits *h)
{
	if (h->n > 0)
		qsort(h->list, h->n, sizeof(*h->list), compare_hits);
}

void hits_compare(struct hits *now, const struct hits *before)
{
	for (size_t i = 0; i < now->n && before->n > 0; i++)
		now->list[i].old = bsearch(&now->list[i], before->list, before->n,
					   sizeof(*before->list), compare_hits);
}

static char *fact_key(struct facts *f, const struct fact *one)
{
	return pool_printf(f->pool, "%s|%s|%s", one->store ? one->store : "", one->value,
			   one->field);
}

void facts_compare(struct facts *now, const struct facts *before)
{
	for (enum policy_fact k = 0; k < FACT_COUNT; k++) {
		AUTO_JSON json_t *had = json_object();
		for (size_t i = 0; i < before->uses[k].n; i++)
			json_object_set_new(had, fact_key(now, &before->uses[k].list[i]),
					    json_true());
		for (size_t i = 0; i < now->uses[k].n; i++) {
			struct fact *one = &now->uses[k].list[i];
			one->old = json_object_get(had, fact_key(now, one));
		}
	}
}

void policy_result_order(struct policy_result *r)
{
	if (r->n == 0)
		return;
	struct policy_finding *list = pool_alloc(r->memory, r->n * sizeof(*list));
	size_t n = 0;
	for (int mode = POLICY_ENFORCE; mode >= POLICY_OFF; mode--)
		for (size_t i = 0; i < r->n; i++)
			if ((int)r->findings[i].mode == mode)
				list[n++] = r->findings[i];
	r->findings = list;
}

void policy_result_add(struct policy_result *r, const struct policy_finding *f)
{
	if (!r->memory)
		r->memory = mem_calloc(1, sizeof(struct pool));
	struct pool *pool = r->memory;
	r->findings = pool_append(pool, r->findings, &r->n, sizeof(*r->findings));
	r->findings[r->n - 1] = (struct policy_finding){
		.policy = pool_strdup(pool, f->policy),
		.rule = pool_strdup(pool, f->rule),
		.field = pool_strdup(pool, f->field),
		.text = pool_strdup(pool, f->text),
		.mode = f->mode,
	};
}

void policy_result_release(struct policy_result *r)
{
	if (r->memory)
		pool_release(r->memory);
	mem_free(r->memory);
	*r = (struct policy_result){ .memory = NULL };
}

enum policy_mode policy_result_mode(const struct policy_result *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (!r->findings[i].exempt)
			return r->findings[i].mode;
	return POLICY_OFF;
}

const struct policy_finding *policy_result_first(const struct policy_result *r,
						 enum policy_mode mode)
{
	for (size_t i = 0; i < r->n; i++)
		if (!r->findings[i].exempt && r->findings[i].mode == mode)
			return &r->findings[i];
	return NULL;
}

void policies_tell(const struct policies *ps, const struct policy_ask *ask,
		   policy_told_fn *fn, void *ctx)
{
	struct identity id;
	identity_of(ask, &id);
	for (size_t i = 0; i < ps->n_policies; i++) {
		const struct policy *p = &ps->policies[i];
		bool match = selector_matches(&p->match, &id, true);
		bool out = p->has_exclude && selector_matches(&p->exclude, &id, false);
		fn(ctx, p->name, p->file, p->mode, match && !out,
		   !match ? "match"
		   : out  ? "exclude"
			  : "");
	}
}
