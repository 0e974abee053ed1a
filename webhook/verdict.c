// SPDX-License-Identifier: Apache-2.0
// Findings → answer, audit lines, counters.
#include "webhook/verdict.h"

#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "webhook/metrics.h"
#include "webhook/notes.h"

enum { MESSAGE_MAX = 8192, TOLD_MAX = 6 };

static const char *decision_of(const struct policy_finding *f)
{
	static const char *const words[] = { "allow", "audit", "warn", "deny" };
	return f->exempt ? "exempt" : words[f->mode];
}

char *verdict_sentence(const struct policy_finding *f)
{
	return mem_printf("policy '%s' (%s): %s: %s", f->policy, f->rule, f->field,
			  f->text);
}

static char *message_of(const struct policy_result *r)
{
	AUTO_BUF struct buf b = BUF_INIT(MESSAGE_MAX);
	size_t told = 0, all = 0;
	for (size_t i = 0; i < r->n; i++) {
		const struct policy_finding *f = &r->findings[i];
		if (f->exempt || f->mode != POLICY_ENFORCE)
			continue;
		if (all++ >= TOLD_MAX)
			continue;
		AUTO_FREE char *text = verdict_sentence(f);
		buf_printf(&b, "%s%s", told++ ? "\n" : "", text);
	}
	if (all > told)
		buf_printf(&b, "\nand %zu more", all - told);
	return all ? buf_take(&b, NULL) : NULL;
}

// The finding that decides; NULL: there is none.
static const struct policy_finding *decisive(const struct policy_result *r)
{
	enum policy_mode mode = policy_result_mode(r);
	if (mode != POLICY_OFF)
		return policy_result_first(r, mode);
	return r->n ? &r->findings[0] : NULL; // exempt
}

// A text that was cut may end inside of a letter.
static json_t *tidy(const char *text)
{
	AUTO_FREE char *copy = mem_strdup(text);
	notes_tidy(copy);
	return json_str(copy, strlen(copy));
}

void verdict_word(json_t *warnings, struct verdict *ret)
{
	const struct policy_result *r = &ret->result;
	const struct policy_finding *first = decisive(r);
	ret->decision = first ? decision_of(first) : "allow";
	ret->message = message_of(r);
	ret->audit = NULL;
	if (!first)
		return;
	ret->audit = json_pack("{s:s, s:o, s:o, s:o}", "decision", ret->decision,
			       "policy", tidy(first->policy), "rule", tidy(first->rule),
			       "field", tidy(first->field));
	if (first->exempt)
		json_object_set_new(ret->audit, "exemption", tidy(first->exempt));
	for (size_t i = 0; i < r->n; i++) {
		const struct policy_finding *f = &r->findings[i];
		AUTO_FREE char *text = verdict_sentence(f);
		if (!f->exempt && f->mode == POLICY_WARN)
			notes_add(warnings, "%s", text);
	}
}

void verdict_make(const struct policies *ps, const struct policy_ask *ask,
		  json_t *warnings, struct verdict *ret)
{
	policies_judge(ps, ask, &ret->result);
	verdict_word(warnings, ret);
}

void verdict_release(struct verdict *v)
{
	policy_result_release(&v->result);
	mem_free(v->message);
	json_decref(v->audit);
	*v = (struct verdict){ .message = NULL };
}

void verdict_report(const struct verdict *v, const char *namespace_, const char *pod,
		    const char *at, bool dry_run, struct metrics *m)
{
	for (size_t i = 0; i < v->result.n; i++) {
		const struct policy_finding *f = &v->result.findings[i];
		const char *decision = decision_of(f);
		log_at(f->mode == POLICY_ENFORCE && !f->exempt ? LOG_WARN : LOG_INFO,
		       "policy", LOG_STR("decision", decision),
		       LOG_STR("policy", f->policy), LOG_STR("rule", f->rule),
		       LOG_STR("namespace", namespace_), LOG_STR("pod", pod),
		       LOG_STR("field", f->field), LOG_STR("reason", f->text),
		       LOG_STR("exemption", f->exempt ? f->exempt : ""),
		       LOG_STR("owner", f->owner ? f->owner : ""), LOG_STR("at", at),
		       LOG_STR("dry_run", dry_run ? "true" : "false"));
		metrics_finding(m, f->policy, namespace_, decision);
	}
}
