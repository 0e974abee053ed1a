// SPDX-License-Identifier: Apache-2.0
// Between the files of the policy engine, and those that translate policies (cmd/policy_export*.c).
#pragma once

#include "lib/conf/node.h"
#include "lib/conf/pool.h"
#include "webhook/policy.h"
#include "webhook/settings.h"

// What a pod uses, and what a rule of allow or deny may speak of.
enum policy_fact {
	FACT_STORES,
	FACT_STORE_NAMESPACES, // of Vault and OpenBao
	FACT_ADDRESSES,
	FACT_ROLES,
	FACT_PATHS,
	FACT_FUNCTIONS,
	FACT_IMAGES,       // of the pod's own containers
	FACT_AGENT_IMAGES, // where it is not the operator's
	FACT_ANNOTATIONS,  // for injection
	FACT_COUNT,
};
const char *policy_fact_name(enum policy_fact fact); // "stores"
extern const struct policy_words {
	const char *separators; // that * does not cross
	const char *noun;       // what the value is, in a sentence
	const char *remedy;
} policy_words[FACT_COUNT];

enum policy_forbid {
	FORBID_ENV_SECRETS,
	FORBID_ENV_LITERALS,
	FORBID_SECRET_VOLUMES,
	FORBID_DISK_VOLUMES,
	FORBID_HOST_PATHS,
	FORBID_DEFAULT_ACCOUNT,
	FORBID_ACCOUNT_TOKEN,
	FORBID_SHARED_PROCESSES,
	FORBID_FORGED_MARK,
	FORBID_CHANGED_AGENT,
	FORBID_OVERRIDES,
	FORBID_COUNT,
};
const char *policy_forbid_name(enum policy_forbid rule);

enum policy_limit {
	LIMIT_INTERVAL,
	LIMIT_FILES,
	LIMIT_TEMPLATE,
	LIMIT_TTL,
	LIMIT_COUNT,
};
const char *policy_limit_name(enum policy_limit limit);

struct patterns {
	const char **list;
	size_t n;
	bool given; // an empty list allows nothing
};

struct label_rule {
	const char *key, *pattern;
};

// Each kind that is given must match (in exclude and exempt: so that they count).
struct selector {
	struct patterns namespaces, service_accounts, kinds;
	struct label_rule *labels, *namespace_labels;
	size_t n_labels, n_namespace_labels;
};

struct exemption {
	const char *name, *owner, *reason;
	int64_t until_ms; // the end of that day
	struct patterns rules;
	struct selector who;
};

struct policy {
	const char *name, *owner, *help, *file;
	enum policy_mode mode, workloads;
	unsigned facts,
		forbids; // which lists and rules are given, as bits: policy_ready()
	struct selector match, exclude;
	bool has_exclude;
	enum policy_mode require_inject;
	struct patterns allow[FACT_COUNT], deny[FACT_COUNT];
	int64_t limits[LIMIT_COUNT]; // -1: none
	enum policy_mode forbid[FORBID_COUNT];
	struct exemption *exempt;
	size_t n_exempt;
};

struct purpose {
	const char *name;
	enum policy_mode mode;
	struct selector who;
	struct patterns binds[FACT_PATHS + 1];
};

struct policies {
	struct pool pool;
	struct policy *policies;
	size_t n_policies;
	struct purpose *purposes;
	size_t n_purposes;
	bool wants[FACT_COUNT]; // some rule asks for it
	bool wants_words;       // for what stands in templates
};

// --- policy_load.c
// Notes which rules it has. False: none.
bool policy_ready(struct policy *p);

// --- policy_select.c
struct identity {
	const char *namespace_, *account, *kind, *owner_kind;
	const json_t *labels, *namespace_labels; // the latter NULL: not known
	bool by_controller; // the cluster's own has sent it: owner_kind is true
};
void identity_of(const struct policy_ask *ask, struct identity *ret);
// `unknown` is the answer where the namespace's labels would decide and are not known.
bool selector_matches(const struct selector *s, const struct identity *id, bool unknown);
bool patterns_match(const struct patterns *p, const char *text, const char *separators);
// As a list of texts under `key`, where they were given.
void patterns_put(json_t *to, const char *key, const struct patterns *list);

// --- policy_facts.c
struct fact {
	const char *value;
	const char *also[2]; // other names of the same, or NULL
	const char *field;   // where it is said
	const char *store;   // of a path
	bool odd;            // in a form that only hides something
	bool old;            // the pod had it before the update
};
enum agent_state { AGENT_UNKNOWN, AGENT_NONE, AGENT_OURS, AGENT_CHANGED };
struct facts {
	struct pool *pool;
	const struct policies *ps;
	const struct policy_ask *ask;
	struct identity id;
	const json_t *spec, *metadata, *annotations;
	const json_t
		*agent; // the container that holds the agent's configuration, or NULL
	const char *agent_list; // "initContainers"
	json_t *configs;        // what the agents' configurations say: an array
	size_t n_agents;
	bool config_map;        // an agent whose configuration nobody sees here
	bool proxy;             // the agent passes any path on for the application
	bool sink;              // the application gets the agent's token
	enum agent_state state; // by agent_look()
	const struct settings *made_by;
	const char *state_field, *state_text;
	struct {
		struct fact *list;
		size_t n;
		bool overfull; // there are more, which nobody has looked at
	} uses[FACT_COUNT];
	json_t *seen;        // of paths and functions: which are known
	json_t *files;       // by name: the templates
	json_t *mounted;     // policy_forbid.c's; or NULL
	int64_t interval_ms; // the shortest; -1: none is given
	const char *interval_field;
	size_t n_files;
	size_t template_max;
	const char *template_field;
	int64_t ttl_ms; // the longest that a template asks for; -1: none
	const char *ttl_field;
};
void facts_read(const struct policies *ps, const struct policy_ask *ask,
		struct pool *pool, struct facts *ret);
void facts_release(struct facts *f);
// Whether it is the agent that this webhook made; any other container is an application's.
bool facts_is_ours(struct facts *f, const char *list, const json_t *container);
// "spec.containers[app]" of a container of a list.
const char *facts_field(struct facts *f, const char *list, const json_t *container);

// --- policy_result.c
// What a rule of forbid has found in a pod.
struct hits {
	bool asked;
	struct hit {
		const char *field, *text;
		bool old; // the pod had it before the update
	} * list;
	size_t n;
};
void hits_index(struct hits *h); // for hits_compare()
// Marks those that the pod had before its update, which are indexed.
void hits_compare(struct hits *now, const struct hits *before);
// The same of facts.
void facts_compare(struct facts *now, const struct facts *before);
void policy_result_index(struct policy_result *r); // for policy_result_has()
bool policy_result_has(const struct policy_result *r, const struct policy_finding *one);
// Enforced ones first; the order is the policies' otherwise.
void policy_result_order(struct policy_result *r);

// --- policy_template.c: a template's text, without running it
// Calls fn for each function that an action calls, with its first argument when that is a
// literal (else NULL: it is computed), and for each further literal argument "k=v".
struct template_word {
	const char *function;
	const char *literal; // of a function; or NULL
	const char *option;  // "ttl=1h" of the same call
};
typedef void template_word_fn(void *ctx, const struct template_word *w);
void template_words(struct pool *pool, const char *text, const char *left,
		    const char *right, template_word_fn *fn, void *ctx);

// --- policy_document.c: what the agent's configuration of a container says
// NULL: nobody can look at it here.
json_t *facts_config(const struct facts *f, const json_t *container);
void facts_read_document(struct facts *f, const json_t *doc);
// Adds a use, of which the caller may set the other members.
struct fact *facts_add(struct facts *f, enum policy_fact kind, const char *value,
		       const char *field);

// --- policy_forbid.c, policy_agent_rules.c
struct judging;
// Adds a finding of the rule that is being asked.
void judge_found(struct judging *j, const char *field, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
struct facts *judge_facts(struct judging *j);
typedef void forbid_fn(struct judging *j);
forbid_fn forbid_env_secrets, forbid_env_literals, forbid_secret_volumes,
	forbid_disk_volumes, forbid_host_paths, forbid_default_account,
	forbid_account_token, forbid_shared_processes, forbid_forged_mark,
	forbid_changed_agent, forbid_overrides;

// The tables of the rules, for who says them in another language.
const char *const *policy_secret_words(size_t *ret_n);    // of disk_volumes
const char *const *policy_guarded_folders(size_t *ret_n); // of host_paths
const char *const *policy_override_names(size_t *ret_n);  // of overrides

// --- policy_agent_look.c: whether the agent in the pod is the one that this webhook makes of the
// pod's annotations; answered once, f->state_text says what is not.
enum agent_state agent_look(struct facts *f);
// Whether each agent of `before` is in `after` as it was, but for its resources; else *ret names
// the container.
bool agents_same(const json_t *before, const json_t *after, const char **ret);

// --- policy_literal.c: whether NAME=VALUE of an environment looks like a credential. Returns
// why ("a password in a URL"), or NULL.
const char *literal_credential(const char *name, const char *value);
// Its tables: beginnings of tokens with their least number of further letters, and words. NULL
// behind the last one.
enum literal_table {
	LITERAL_REFERENCES, // beginnings of values that are none
	LITERAL_PLAIN,      // values that are none
	LITERAL_ASSIGNED,   // "password=" inside of a value
	LITERAL_ABOUT,      // last words of names
	LITERAL_STRONG,     // words of names that say so
	LITERAL_PUBLIC,     // and that deny it
};
const char *literal_token(size_t i, unsigned *ret_least);
const char *const *literal_pair(size_t i); // two words that say so beside each other
const char *const *literal_words(enum literal_table table, size_t *ret_n);
