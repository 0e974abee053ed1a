// SPDX-License-Identifier: Apache-2.0
// The template language: Go's text/template with consul-template's functions. Parse once,
// run as often as the data changes.
//
// A template never fetches. It is run over what the source holds; a store function whose
// answer is not there yet tells the source what it wants and stands for nil. A run that
// wanted something yields no output and no side effect: *ret_complete is false, and the
// caller runs it again when an answer has come. One run asks for all that it can reach, so
// that a template needs one pass more than the depth of its nested look-ups.
//
// Errors read "NAME:LINE:COL: reason" and never contain a value of the data.
// Source of the language: https://pkg.go.dev/text/template and contract of Vault Agent.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

struct tmpl;

enum tmpl_missing_key {
	TMPL_MISSING_DEFAULT, // prints <no value>
	TMPL_MISSING_ZERO,    // the same for JSON data, as in the peers
	TMPL_MISSING_ERROR,
};

// What a policy or configuration grants. All off and empty by default.
struct tmpl_grants {
	bool env;                     // env, mustEnv, envOrDefault
	const char *const *read_dirs; // folders for `file`, NULL-ended; NULL = none
	const char *const *denied;    // names (with * and ?) of functions, NULL-ended
	// The policy that refuses a function, or NULL; NULL: none is asked.
	const char *(*refuses)(const void *ctx, const char *function);
	const void *refuses_ctx;
};

struct tmpl_opts {
	const char *name;        // in messages; the file's path or the destination
	const char *left_delim;  // NULL = "{{"
	const char *right_delim; // NULL = "}}"
	enum tmpl_missing_key missing_key;
	struct tmpl_grants grants; // borrowed for the template's life
	// Limits of one run; 0 = the default (10^6 steps, depth 64, 1 MiB, 2 s).
	unsigned long max_steps;
	unsigned max_depth;
	size_t max_output;
	unsigned max_ms;
};

enum tmpl_want_kind {
	TMPL_WANT_SECRET, // secret "path" ["k=v"…]: a read, or a write when there are pairs
	TMPL_WANT_LIST,    // secrets "path"
	TMPL_WANT_PKICERT, // pkiCert "path" "k=v"…
	TMPL_WANT_FILE,    // file "path"
};

struct tmpl_want {
	enum tmpl_want_kind kind;
	const char *path;        // as written, with its store's name: "aws:prod/db"
	const char *const *args; // "k=v" pairs
	size_t n_args;
};

enum tmpl_answer { TMPL_FOUND, TMPL_WANTED, TMPL_FAILED };

// Where store functions look. For TMPL_FOUND *ret is a borrowed value that lives until the
// run ends: for SECRET and PKICERT the store's answer {"data":…,"lease_id":…,…}, for LIST an
// array of strings, for FILE a string. TMPL_WANTED: the source has noted the want.
// TMPL_FAILED: e says why, and the run fails with it.
typedef enum tmpl_answer tmpl_lookup_fn(void *ctx, const struct tmpl_want *want,
					const json_t **ret, struct err *e);

// writeToFile in a complete run. NULL in struct tmpl_source: the function is refused.
struct tmpl_file {
	const char *path, *user, *group, *perms;
	bool append, newline;
	const char *content;
	size_t len;
};
typedef bool tmpl_write_fn(void *ctx, const struct tmpl_file *file, struct err *e);

struct tmpl_source {
	tmpl_lookup_fn *lookup; // NULL: store functions fail
	tmpl_write_fn *write;
	void *ctx;
};

MUST_CHECK bool tmpl_parse(const char *text, size_t len, const struct tmpl_opts *opts,
			   struct tmpl **ret, struct err *e);
void tmpl_free(struct tmpl *t);

// Runs with `data` as dot (NULL is nil). On success and *ret_complete, `out` has the bytes
// appended; else it is left as it was. An error in a run that still wants something is not
// an error yet: *ret_complete is false.
MUST_CHECK bool tmpl_run(const struct tmpl *t, const struct tmpl_source *source,
			 const json_t *data, struct buf *out, bool *ret_complete,
			 struct err *e);

// The text of a stock template by name ("env", "json", …), or NULL. Their list for messages
// and the README: tmpl_stock_name(i) until NULL.
const char *tmpl_stock(const char *name);
const char *tmpl_stock_name(size_t i);
