// SPDX-License-Identifier: Apache-2.0
// Every rule of every policy that is for the pod, asked over what the pod uses.
#include "webhook/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/path_rule.h"
#include "webhook/policy_int.h"

// A rule tells so many places, and that there are more; no pod breaks more rules than ALL_MAX.
enum { PLACES_MAX = 20, TEXT_MAX = 400, ALL_MAX = 10000 };

struct judging {
	struct facts *f;
	struct pool *pool;
	struct policy_result *out;
	const struct policy *policy; // NULL: a purpose
	const char *name, *help;     // of the policy or purpose that is being asked
	const char *kind, *word;     // of the rule: "forbid", "env_secrets"
	enum policy_mode mode;
	bool workload; // no pod
	struct pod *pod;
	const struct pod *before; // the pod before its update; what it had is not told
	bool had;                 // the policy was for it, too
	struct hits *collect;     // a rule of forbid is asked once, for all policies
	size_t told[POLICY_ENFORCE + 1]; // of the rule that is being asked
	// The list of patterns, of allow and of deny, that all facts of a kind please.
	const char **pleased[FACT_COUNT][2];
};

// A pod that is judged, and what an update of it is compared with.
struct pod {
	struct facts f;
	struct hits hits[FORBID_COUNT]; // what a rule of forbid has found
	bool *asked;                    // by policy: whether it is for the pod
	struct policy_result all; // of the other rules, indexed; only of the pod before
	bool compares;            // nothing is told of it, it is the pod before
};

struct facts *judge_facts(struct judging *j)
{
	return j->f;
}

// The exemption from a rule that counts, or NULL.
static const struct exemption *exemption_of(const struct judging *j, const char *rule)
{
	const struct policy *p = j->policy;
	for (size_t i = 0; p && i < p->n_exempt; i++) {
		const struct exemption *x = &p->exempt[i];
		if (x->until_ms > j->f->ask->now_ms &&
		    (!x->rules.given || patterns_match(&x->rules, rule, ".")) &&
		    selector_matches(&x->who, &j->f->id, false))
			return x;
	}
	return NULL;
}

// Whether enough is told of the rule that is being asked.
static bool is_enough(const struct judging *j)
{
	return j->pod->compares ? j->out->n >= ALL_MAX : j->told[j->mode] > PLACES_MAX;
}

// False: it was there before the update.
static bool is_told(struct judging *j, struct policy_finding *one)
{
	if (j->before && policy_result_has(&j->before->all, one))
		return false;
	if (j->told[one->mode]++ == PLACES_MAX && !j->pod->compares)
		one->text = "and more places that break the same rule";
	return true;
}

static void add_finding(struct judging *j, const char *field, const char *text)
{
	struct policy_result *r = j->out;
	if (is_enough(j))
		return;
	const char *rule =
		j->word ? pool_printf(j->pool, "%s.%s", j->kind, j->word) : j->kind;
	const struct exemption *exempt = exemption_of(j, rule);
	struct policy_finding one = {
		.policy = j->name,
		.rule = rule,
		.field = field,
		.text = j->help ? pool_printf(j->pool, "%s (%s)", text, j->help) : text,
		.mode = j->mode,
		.exempt = exempt ? exempt->name : NULL,
		.owner = exempt ? exempt->owner : NULL,
	};
	if (!is_told(j, &one))
		return;
	r->findings = pool_append(j->pool, r->findings, &r->n, sizeof(*r->findings));
	r->findings[r->n - 1] = one;
}

void judge_found(struct judging *j, const char *field, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;
	struct hits *to = j->collect;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	const char *where = pool_strdup(j->pool, field);
	const char *what = pool_strdup(j->pool, text);
	if (!to) {
		add_finding(j, where, what);
		return;
	}
	to->list = pool_append(j->pool, to->list, &to->n, sizeof(*to->list));
	to->list[to->n - 1] = (struct hit){ .field = where, .text = what };
}

// --- the rule that is being asked

static void begin(struct judging *j, const char *kind, const char *word,
		  enum policy_mode mode)
{
	memset(j->told, 0, sizeof(j->told));
	j->kind = kind;
	j->word = word;
	j->mode =
		j->workload && mode > j->policy->workloads ? j->policy->workloads : mode;
}

// --- allow and deny

static bool covered(const struct patterns *p, enum policy_fact kind,
		    const struct fact *fact, bool deny)
{
	if (kind == FACT_PATHS) {
		for (size_t i = 0; i < p->n; i++)
			if (deny ? path_rule_denies(p->list[i], fact->store, fact->value)
				 : path_rule_allows(p->list[i], fact->store, fact->value))
				return true;
		return false;
	}
	if (patterns_match(p, fact->value, policy_words[kind].separators))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(fact->also); i++)
		if (fact->also[i] &&
		    patterns_match(p, fact->also[i], policy_words[kind].separators))
			return true;
	return false;
}

#define NOT_PLAIN                                                                        \
	"%s '%.100s' is not written plainly (no %%, //, .., user or query), so that no " \
	"rule can be asked about it; write it plainly"

static const char unseen[] =
	"the agent takes its configuration from where nobody can look at it here; use "
	"annotations in place of agent-configmap";

// How the application reaches paths that nobody has named; NULL: it does not.
static const char *way_around(const struct facts *f)
{
	if (f->sink)
		return "with the agent's token the application could read any path; "
		       "remove the annotation agent-inject-token";
	return f->proxy ? "the agent's proxy would pass any path on; remove the "
			  "annotation agent-cache-enable"
			: NULL;
}

// Whether all uses of a kind please the list, and nothing else is to be told of them: what most
// pods and most policies end with.
static bool is_pleased(struct judging *j, const struct patterns *p, enum policy_fact kind,
		       bool deny)
{
	const struct facts *f = j->f;
	if (f->uses[kind].overfull || (kind == FACT_PATHS && way_around(f)) ||
	    (kind <= FACT_FUNCTIONS && f->config_map))
		return false;
	for (size_t i = 0; i < f->uses[kind].n && !j->pod->compares; i++) {
		const struct fact *fact = &f->uses[kind].list[i];
		if (fact->odd || covered(p, kind, fact, deny) == deny)
			return false;
	}
	j->pleased[kind][deny] = p->list;
	return true;
}

static void ask_facts(struct judging *j, const struct patterns *p, enum policy_fact kind,
		      bool deny)
{
	const struct facts *f = j->f;
	if (is_pleased(j, p, kind, deny))
		return;
	begin(j, deny ? "deny" : "allow", policy_fact_name(kind), j->policy->mode);
	for (size_t i = 0; i < f->uses[kind].n && !j->pod->compares; i++) {
		const struct fact *fact = &f->uses[kind].list[i];
		if (!fact->odd && covered(p, kind, fact, deny) != deny)
			continue;
		if (fact->old && j->had)
			continue;
		if (is_enough(j))
			break;
		if (fact->odd)
			judge_found(j, fact->field, NOT_PLAIN, policy_words[kind].noun,
				    fact->value);
		else
			judge_found(j, fact->field, "%s '%.150s' is %s; %s",
				    policy_words[kind].noun, fact->value,
				    deny ? "denied" : "not allowed",
				    policy_words[kind].remedy);
	}
	if (f->uses[kind].overfull)
		judge_found(j, "metadata.annotations",
			    "there are more than %zu uses of %s, and no rule can be "
			    "asked about the others; use fewer",
			    f->uses[kind].n, policy_fact_name(kind));
	if (kind == FACT_PATHS && way_around(f))
		judge_found(j, "metadata.annotations", "%s", way_around(f));
	if (kind <= FACT_FUNCTIONS && f->config_map)
		judge_found(j, "metadata.annotations", "%s", unseen);
}

// An equal list of another policy was pleased: they are one (policy_load.c).
static bool is_known(const struct judging *j, const struct patterns *p,
		     enum policy_fact kind, bool deny)
{
	return p->n > 0 && j->pleased[kind][deny] == p->list;
}

static void ask_lists(struct judging *j)
{
	const struct policy *p = j->policy;
	for (unsigned left = p->facts; left; left &= left - 1) {
		enum policy_fact i = (enum policy_fact)__builtin_ctz(left);
		if (p->deny[i].given && !is_known(j, &p->deny[i], i, true))
			ask_facts(j, &p->deny[i], i, true);
		if (p->allow[i].given && !is_known(j, &p->allow[i], i, false))
			ask_facts(j, &p->allow[i], i, false);
	}
}

// --- limits

static void ask_limits(struct judging *j)
{
	const struct policy *p = j->policy;
	const struct facts *f = j->f;
	const int64_t *l = p->limits;
	for (enum policy_limit i = 0; i < LIMIT_COUNT && f->config_map; i++)
		if (l[i] >= 0) {
			begin(j, "limits", policy_limit_name(i), p->mode);
			judge_found(j, "metadata.annotations", "%s", unseen);
		}
	if (l[LIMIT_INTERVAL] >= 0 && f->interval_ms >= 0 &&
	    f->interval_ms < l[LIMIT_INTERVAL]) {
		begin(j, "limits", "min_interval", p->mode);
		judge_found(j, f->interval_field,
			    "it is read each %lld s, which is too often; an interval of "
			    "%lld s or more is wanted",
			    (long long)f->interval_ms / 1000,
			    (long long)l[LIMIT_INTERVAL] / 1000);
	}
	if (l[LIMIT_FILES] >= 0 && f->n_files > (size_t)l[LIMIT_FILES]) {
		begin(j, "limits", "max_files", p->mode);
		judge_found(j, "metadata.annotations",
			    "%zu files and variables are asked for; at most %lld are "
			    "allowed",
			    f->n_files, (long long)l[LIMIT_FILES]);
	}
	if (l[LIMIT_TEMPLATE] >= 0 && f->template_max > (size_t)l[LIMIT_TEMPLATE]) {
		begin(j, "limits", "max_template", p->mode);
		judge_found(j, f->template_field,
			    "its template has %zu bytes; at most %lld are allowed",
			    f->template_max, (long long)l[LIMIT_TEMPLATE]);
	}
	if (l[LIMIT_TTL] >= 0 && f->ttl_ms > l[LIMIT_TTL]) {
		begin(j, "limits", "max_ttl", p->mode);
		judge_found(j, f->ttl_field,
			    "it asks for a lifetime above %lld s, the longest that is "
			    "allowed (ttl)",
			    (long long)l[LIMIT_TTL] / 1000);
	}
}

// --- require and forbid

static forbid_fn *const forbids[FORBID_COUNT] = {
	[FORBID_ENV_SECRETS] = forbid_env_secrets,
	[FORBID_ENV_LITERALS] = forbid_env_literals,
	[FORBID_SECRET_VOLUMES] = forbid_secret_volumes,
	[FORBID_DISK_VOLUMES] = forbid_disk_volumes,
	[FORBID_HOST_PATHS] = forbid_host_paths,
	[FORBID_DEFAULT_ACCOUNT] = forbid_default_account,
	[FORBID_ACCOUNT_TOKEN] = forbid_account_token,
	[FORBID_SHARED_PROCESSES] = forbid_shared_processes,
	[FORBID_FORGED_MARK] = forbid_forged_mark,
	[FORBID_CHANGED_AGENT] = forbid_changed_agent,
	[FORBID_OVERRIDES] = forbid_overrides,
};

static void ask_require(struct judging *j)
{
	struct facts *f = j->f;
	if (j->policy->require_inject == POLICY_OFF)
		return;
	begin(j, "require", "inject", j->policy->require_inject);
	enum agent_state state = agent_look(f);
	if (state == AGENT_NONE)
		judge_found(j, "metadata.annotations",
			    "pods here must be injected; add the annotation "
			    "ampoule.dev/inject: \"true\" and the secrets that the pod "
			    "needs");
	else if (state == AGENT_CHANGED)
		judge_found(j, f->state_field, "pods here must be injected: %s",
			    f->state_text);
}

static void ask_forbid(struct judging *j, enum policy_forbid rule)
{
	struct hits *h = &j->pod->hits[rule];
	if (!h->asked) {
		h->asked = true;
		j->collect = h;
		forbids[rule](j);
		j->collect = NULL;
	}
	if (h->n == 0)
		return;
	begin(j, "forbid", policy_forbid_name(rule), j->policy->forbid[rule]);
	for (size_t i = 0; i < h->n && !j->pod->compares && !is_enough(j); i++)
		if (!(h->list[i].old && j->had))
			add_finding(j, h->list[i].field, h->list[i].text);
}

static void ask_policy(struct judging *j)
{
	const struct policy *p = j->policy;
	j->name = p->name;
	j->help = p->help;
	ask_require(j);
	for (unsigned left = p->forbids; left; left &= left - 1)
		ask_forbid(j, (enum policy_forbid)__builtin_ctz(left));
	ask_lists(j);
	ask_limits(j);
}

// --- purposes: what one binds is only for those whom it, or another that binds it, is for

static void begin_purpose(struct judging *j, const struct purpose *p)
{
	bool pod = strcmp(j->f->id.kind, "Pod") == 0;
	j->name = p->name;
	j->mode = !pod && p->mode > POLICY_WARN ? POLICY_WARN : p->mode;
}

static void ask_purpose(struct judging *j, const struct fact *fact, enum policy_fact kind)
{
	const struct policies *ps = j->f->ps;
	const struct purpose *bound = NULL;
	for (size_t i = 0; i < ps->n_purposes; i++) {
		const struct purpose *p = &ps->purposes[i];
		if (!p->binds[kind].n)
			continue;
		if (!fact->odd && !covered(&p->binds[kind], kind, fact, true))
			continue;
		if (!fact->odd && selector_matches(&p->who, &j->f->id, false))
			return;
		bound = p;
	}
	if (!bound)
		return;
	begin_purpose(j, bound);
	if (fact->odd) {
		judge_found(j, fact->field, NOT_PLAIN, policy_words[kind].noun,
			    fact->value);
		return;
	}
	judge_found(j, fact->field,
		    "%s '%.150s' is for the purpose '%s' alone, and neither namespace "
		    "'%.63s' nor service account '%.63s' belongs to it",
		    policy_words[kind].noun, fact->value, bound->name,
		    j->f->id.namespace_, j->f->id.account);
}

// What the pod's agent may read, and nobody can look at. The agent's proxy asks the purposes
// itself; whoever has its token asks nobody.
static void ask_unseen(struct judging *j, const struct purpose *p)
{
	const struct facts *f = j->f;
	const char *way = f->sink && p->binds[FACT_PATHS].n > 0 ? way_around(f) : NULL;
	bool binds = false, more = f->config_map || way;
	for (enum policy_fact k = 0; k <= FACT_PATHS; k++) {
		binds |= p->binds[k].n > 0;
		more |= p->binds[k].n > 0 && f->uses[k].overfull;
	}
	if (!binds || !more || selector_matches(&p->who, &f->id, false))
		return;
	begin_purpose(j, p);
	judge_found(j, "metadata.annotations", "%s",
		    f->config_map ? unseen
		    : way         ? way
				  : "more is used than any rule can be asked about; use "
				    "less");
}

static void ask_purposes(struct judging *j)
{
	const struct policies *ps = j->f->ps;
	if (ps->n_purposes == 0)
		return;
	memset(j->told, 0, sizeof(j->told));
	j->kind = "purpose";
	j->word = NULL;
	j->help = NULL;
	j->policy = NULL;
	for (enum policy_fact k = 0; k <= FACT_PATHS; k++)
		for (size_t i = 0; i < j->f->uses[k].n; i++)
			ask_purpose(j, &j->f->uses[k].list[i], k);
	for (size_t i = 0; i < ps->n_purposes; i++)
		ask_unseen(j, &ps->purposes[i]);
}

// --- a pod

static void judge(const struct policies *ps, struct pod *pod, const struct pod *before,
		  struct policy_result *r)
{
	struct judging j = { .f = &pod->f,
			     .pool = r->memory,
			     .out = r,
			     .pod = pod,
			     .before = before,
			     .workload = strcmp(pod->f.id.kind, "Pod") != 0 };
	for (size_t i = 0; i < ps->n_policies; i++) {
		j.policy = &ps->policies[i];
		j.had = before && before->asked[i];
		pod->asked[i] =
			selector_matches(&j.policy->match, &pod->f.id, true) &&
			!(j.policy->has_exclude &&
			  selector_matches(&j.policy->exclude, &pod->f.id, false));
		if (pod->asked[i])
			ask_policy(&j);
	}
	j.had = false;
	ask_purposes(&j);
}

static void judge_pod(const struct policies *ps, const struct policy_ask *ask,
		      struct pod *pod, struct policy_result *r)
{
	r->memory = mem_calloc(1, sizeof(struct pool));
	facts_read(ps, ask, r->memory, &pod->f);
	pod->asked = pool_alloc(r->memory, (ps->n_policies + 1) * sizeof(bool));
	judge(ps, pod, NULL, r);
}

// Only what the update brings, though the pod had more of it before than is told of one.
static void judge_again(const struct policies *ps, const struct policy_ask *ask,
			struct pod *now, struct policy_result *ret)
{
	struct policy_ask old = *ask;
	struct pod before = { .compares = true };
	old.pod = ask->before;
	judge_pod(ps, &old, &before, &before.all);
	policy_result_index(&before.all);
	for (size_t i = 0; i < FORBID_COUNT; i++) {
		hits_index(&before.hits[i]);
		hits_compare(&now->hits[i], &before.hits[i]);
	}
	facts_compare(&now->f, &before.f);
	ret->n = 0;
	ret->findings = NULL;
	judge(ps, now, &before, ret);
	facts_release(&before.f);
	policy_result_release(&before.all);
}

void policies_judge(const struct policies *ps, const struct policy_ask *ask,
		    struct policy_result *ret)
{
	struct pod pod = { .compares = false };
	*ret = (struct policy_result){ .memory = NULL };
	if (policies_count(ps) == 0 || ask->mirror)
		return;
	judge_pod(ps, ask, &pod, ret);
	if (ask->before && ret->n > 0)
		judge_again(ps, ask, &pod, ret);
	facts_release(&pod.f);
	policy_result_order(ret);
}
