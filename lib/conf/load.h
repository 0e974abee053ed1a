// SPDX-License-Identifier: Apache-2.0
// Between the files of lib/conf that fill a struct conf; nobody else includes it.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/conf/conf.h"
#include "lib/conf/node.h"
#include "lib/conf/options.h"
#include "lib/conf/pool.h"

// One conf_load(). Functions return false when e is set.
struct load {
	struct pool *pool;
	struct conf *conf;
	const struct conf_load_opts *opts;
	const struct node **documents; // in the order given: later wins, lists grow
	size_t n_documents;
	const struct node **store_places; // where each store is written
	size_t n_store_places;
	bool failed;   // an error was told to opts->error
	bool has_peer; // a vault or auto_auth stanza: the peer's defaults
	struct err *e;
};

// Tells the user, or with --strict fails. True: go on.
bool load_warn(struct load *l, const struct node *at, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

// After a failure: tells opts->error, and true: go on. False: the failure stands.
bool load_goes_on(struct load *l);

// --- value.c: one row's field from what a document, a variable or a default says
bool value_set(struct load *l, const struct option_row *row, const struct node *n,
	       void *at);

// --- stanza.c: a struct from the rows of its stanza
// Zero but for the defaults of the rows.
bool stanza_defaults(struct load *l, enum option_stanza stanza, void *at);
// Fills from a block. Keys without a row are warned of, refused, or put into *keep.
bool stanza_read(struct load *l, enum option_stanza stanza, const struct node *body,
		 void *at, json_t *keep);
// Environment and flags, for the stanzas that have such rows.
bool stanza_override(struct load *l, enum option_stanza stanza, void *at);
bool stanza_is_overridden(const struct load *l, enum option_stanza stanza,
			  const char *key);
// The one block `key` of the last document that has it; *ret is NULL when there is none.
// Two in one document are refused.
bool stanza_single(struct load *l, const char *key, const struct node **ret);
// The same inside of a body.
bool stanza_inner(struct load *l, const struct node *body, const char *key,
		  node_known_fn *known, struct node_block *ret);
// Where `key` stands in the last document that has it; the first document without one.
const struct node *stanza_place(const struct load *l, const char *key);
// All blocks `key` of all documents.
bool stanza_all(struct load *l, const char *key, node_known_fn *known,
		struct node_blocks *ret);

// --- store.c, sink.c, template.c, exec.c, deliver.c, peer.c, check.c
bool load_stores(struct load *l);
bool load_sinks(struct load *l); // those at the top
bool load_peer_sinks(struct load *l, const struct node *auto_auth);
bool load_templates(struct load *l);
// One of source, contents, stock; delimiters; containers that exist.
bool template_check_text(struct load *l, const struct node *at, struct conf_template *t);
// Whether one container gets both.
bool template_shares_container(const struct conf_template *a,
			       const struct conf_template *b);
bool load_exec(struct load *l);
// Whether a container asks for its variables at a socket.
bool conf_gives_variables(const struct conf *c);
bool load_deliver(struct load *l);
bool load_restricts(struct load *l);
bool load_peer(struct load *l);
bool check_conf(struct load *l);
// Whether `path` is `folder` or lies in it; *ret_rest is what follows the slash.
bool path_is_under(const char *path, const char *folder, const char **ret_rest);

// --- notify.c, notify_shell.c, notify_words.c
// Several from one text ("a,b") behind *n_list of *list, which grows in the pool.
bool notify_add(struct pool *p, const char *text, struct conf_notify **list,
		size_t *n_list, struct err *e);
// The peer's command: argv, or one shell line when argv[1] is NULL.
bool notify_add_command(struct pool *p, const char *const *argv,
			struct conf_notify **list, size_t *n_list, struct err *e);
// The words of a command line. False, with an error, when only a shell could read it.
enum { WORDS_MAX = 64 };
bool notify_words(struct pool *p, const char *line, char **ret, size_t *ret_n,
		  struct err *e);
// Whether s may be a container's name (an RFC 1123 label).
bool notify_is_container(const char *s);
bool notify_signal(const char *name, int *ret);
const char *notify_signal_name(int signal); // "HUP"; NULL for an unknown number
