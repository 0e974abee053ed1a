// SPDX-License-Identifier: Apache-2.0
// Policies: what pods may ask of their stores, and how they may hold secrets. HCL or JSON, in
// the webhook's configuration and in the files that its `policies` names. The README's
// section "Policies" is the manual of the language; this is its shape:
//
//	policy "baseline" {
//	  mode  = "enforce"                     # or warn, audit: of every rule in it
//	  owner = "security@example.org"
//	  help  = "https://wiki.example.org/secrets"  # added to refusals
//	  match   { namespaces = ["pay-*"]  labels = { tier = "gold" } }   # all of them
//	  exclude { service_accounts = ["infra/backup"] }                  # any of them
//	  require { inject = true }
//	  allow   { paths = ["vault:kv/data/pay/**"]  stores = ["vault"] }
//	  deny    { functions = ["writeToFile"]  images = ["docker.io/**"] }
//	  limits  { min_interval = "30s"  max_files = 20 }
//	  forbid  { env_secrets = true  env_literals = "warn" }            # a mode of its own
//	  exempt "legacy" { owner = "team@example.org"  until = "2027-01-31"
//	                    namespaces = ["old"]  rules = ["forbid.env_secrets"] }
//	}
//	purpose "build" { namespaces = ["ci-*"]  stores = ["ci"] }
//
// Rules are named as they are written: require.inject, allow.paths, limits.max_files,
// forbid.env_secrets, purpose. A struct policies never changes; a reload makes another.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct settings;
struct policies;

enum { POLICY_FILE_MAX = 1024 * 1024, POLICIES_MAX = 1000 };

enum policy_mode { POLICY_OFF, POLICY_AUDIT, POLICY_WARN, POLICY_ENFORCE };
const char *policy_mode_name(enum policy_mode mode); // "enforce", …

// --- reading (policy_load.c)
struct policies *policies_new(void);
void policies_free(struct policies *ps);
// The policies of one text. `alone`: a file of policies, in which other keys are errors.
// Errors name file, line, key and what is wanted.
MUST_CHECK bool policies_add(struct policies *ps, const char *file, const char *text,
			     size_t len, bool alone, struct err *e);
// A file, or all *.hcl and *.json of a folder; a folder without any is an error.
MUST_CHECK bool policies_add_path(struct policies *ps, const char *path, struct err *e);
size_t policies_count(const struct policies *ps); // policies and purposes; NULL: 0
// Things to know that are no errors, as an exemption that has ended; calls tell(ctx, text).
void policies_remarks(const struct policies *ps, int64_t now_ms,
		      void (*tell)(void *ctx, const char *text), void *ctx);

// What becomes of namespace_labels where the server does not know the labels of namespaces.
void policies_remark_namespaces(const struct policies *ps,
				void (*tell)(void *ctx, const char *text), void *ctx);

// The begin of a day "2027-01-31", UTC.
MUST_CHECK bool policy_day(const char *text, int64_t *ret_ms);

// --- asking (policy.c)
struct policy_ask {
	const struct settings *settings;
	const json_t *pod;                   // as it will be stored, the agent in it
	const json_t *before;                // of an update: the stored one; or NULL
	const char *namespace_;              // the request's
	const json_t *namespace_annotations; // as inject_ask has them
	const json_t
		*namespace_labels; // NULL: not known, and then selectors count as met
	const char *kind;          // of the object that holds the pod: "Pod", "Job"
	bool fresh;                // the agent in it was made in this very call
	const json_t *config;      // and this is its configuration; or NULL: read it
	const char *user; // who sends it, or NULL: whether ownerReferences are believed
	bool mirror;      // a node announces its own static pod, which nobody can refuse
	int64_t now_ms;   // wall clock, for exemptions
};

// Each policy and purpose: whether it is for the pod. `why` is "" or a fixed word: "match",
// "exclude".
typedef void policy_told_fn(void *ctx, const char *name, const char *file,
			    enum policy_mode mode, bool applies, const char *why);
void policies_tell(const struct policies *ps, const struct policy_ask *ask,
		   policy_told_fn *fn, void *ctx);

// What one rule has to say. Strings live in the result.
struct policy_finding {
	const char *policy, *rule;
	const char *field; // "spec.containers[app].env[DB_PASSWORD]"
	const char *text;  // what is wrong, and what to do
	enum policy_mode mode;
	const char *exempt; // the exemption that holds it back, else NULL
	const char *owner;  // of the exemption
};

struct policy_result {
	struct policy_finding *findings; // enforced ones first
	size_t n;
	void *memory;
};

// Fills in `user` and `mirror` of an ask that has its pod.
void policy_ask_user(struct policy_ask *ask, const char *user);

// All findings about a pod; none is a pod that every policy accepts. An update is told only
// what it brings.
void policies_judge(const struct policies *ps, const struct policy_ask *ask,
		    struct policy_result *ret);
// One more enforced finding, of a rule that is no policy's. Strings are copied.
void policy_result_add(struct policy_result *r, const struct policy_finding *f);
void policy_result_release(struct policy_result *r);

// The hardest mode that counts: POLICY_OFF when nothing is found or all is exempt.
enum policy_mode policy_result_mode(const struct policy_result *r);
// The first finding of that mode, or NULL.
const struct policy_finding *policy_result_first(const struct policy_result *r,
						 enum policy_mode mode);

// --- for the agent (policy_agent.c): what it must refuse itself, as the stanzas `restrict` of
// its configuration `doc`. `ask.pod` is the pod before injection.
void policies_restrict(const struct policies *ps, const struct policy_ask *ask,
		       json_t *doc);
