// SPDX-License-Identifier: Apache-2.0
// THE table: every configuration key, annotation, environment variable and flag, ours and the
// peers', one row each. The loader fills the stanzas' structs from it, the webhook reads
// annotations through it, and --help, `ampoule options` and the README are printed from it.
//
// To add an option: a field in its struct (conf.h), a row in one of lib/conf/options_*.c, and
// a case in test/cases/conf.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/buf.h"

enum __attribute__((packed)) option_stanza {
	STANZA_TOP,             // struct conf
	STANZA_VAULT,           // the peer's vault stanza: struct conf_store
	STANZA_RETRY,           // vault.retry: struct conf_store
	STANZA_STORE,           // store "name": struct conf_store
	STANZA_AUTO_AUTH,       // auto_auth: nothing of its own
	STANZA_AUTH,            // auto_auth.method and store.auth: struct conf_auth
	STANZA_SINK,            // auto_auth.sink: struct conf_sink
	STANZA_SINK_CONFIG,     // sink.config: struct conf_sink
	STANZA_TEMPLATE,        // struct conf_template
	STANZA_TEMPLATE_EXEC,   // template.exec: struct conf_template
	STANZA_TEMPLATE_CONFIG, // struct conf_template_config
	STANZA_DELIVER,         // struct conf_deliver
	STANZA_OBSERVE,         // struct conf_observe
	STANZA_POLICY,          // struct conf_policy
	STANZA_RESTRICT,        // struct conf_restrict
	STANZA_STATE,           // struct conf_state
	STANZA_EXEC,            // struct conf_exec
	STANZA_ENV_TEMPLATE,    // struct conf_template
	STANZA_CACHE,           // from here on: kept in conf.other
	STANZA_CACHE_PERSIST,
	STANZA_API_PROXY,
	STANZA_LISTENER,
	STANZA_TELEMETRY,
	STANZA_POD, // annotations that only the webhook obeys
	STANZA_COUNT,
};

// What a value is, and the C type of the field.
enum __attribute__((packed)) option_type {
	OPTION_STRING,      // const char *
	OPTION_ID,          // const char *: a name or number
	OPTION_TTL,         // const char *: a duration for the store, kept as text
	OPTION_BOOL,        // bool; also the words of Go's ParseBool
	OPTION_BOOL_STRICT, // bool; only true and false, as the peer
	OPTION_DURATION,    // int64_t milliseconds
	OPTION_MODE,        // unsigned; also: bool, whether it was given
	OPTION_COUNT,       // unsigned
	OPTION_NUMBER,      // int64_t
	OPTION_REAL,        // double
	OPTION_LIST,        // const char *const *, NULL-ended
	OPTION_ARGV,        // the same, an argument vector; words may be empty
	OPTION_WORD,        // enum, one of `words`; also: bool, whether it was given
	OPTION_LOG_LEVEL,
	OPTION_LOG_FORMAT,
	OPTION_NOTIFY,  // struct conf_notify *; also: size_t, how many
	OPTION_COMMAND, // the same, from the peer's shell line or argument vector
	OPTION_UNREAD,  // int64_t milliseconds; also: enum conf_unread
	OPTION_WAIT,    // int64_t milliseconds, least; also: most
	OPTION_BLOCK,   // a stanza of its own
	OPTION_ANY,     // kept as it is
	OPTION_IGNORED, // accepted; `ignored` says why it has no meaning here
};

// Over two hundred of them: packed where the program's size asks for it.
struct option_row {
	const char *key;        // in the configuration; NULL: no key, only an annotation
	const char *help;       // one line
	const char *default_;   // as a user would write it; NULL: none
	const char *env;        // behind AMPOULE_, BAO_ and VAULT_, in this order
	const char *flag;       // without its dashes
	const char *annotation; // behind ampoule.dev/
	const char *peer;       // behind vault.hashicorp.com/ and openbao.org/
	const char *ignored;    // why; NULL: it is honoured
	const char *const *words; // of OPTION_WORD, NULL-ended, in the order of the enum
	enum option_stanza stanza;
	enum option_type type;
	bool env_own : 1; // the variable exists with AMPOULE_ only
	bool vault : 1;   // of STANZA_STORE: a key of the vault stanza too
	bool kept : 1;    // of STANZA_STORE: stays among the store's own options too
	bool alias : 1;   // another name for the field of a row before it
	bool guarded : 1; // as an annotation: the operator's, unless he lets pods say it
	uint16_t offset;  // of the field
	uint16_t also;    // of the second field of some types; 0: none
};

enum option_unknown { UNKNOWN_WARN, UNKNOWN_FATAL, UNKNOWN_KEEP };

struct option_stanza_info {
	const char *name;  // in messages and as a heading: "auto_auth.method"
	const char *block; // how it is opened: `method "kubernetes" {`
	const char *help;
	enum option_unknown unknown; // what becomes of a key that is no row
	bool strict;                 // a number is no string (the peer's template stanza)
	size_t size;                 // of the struct; 0: none
};

const struct option_stanza_info *options_stanza(enum option_stanza stanza);

// Walks all rows, stanza by stanza: for (r = NULL; (r = options_next(r));)
const struct option_row *options_next(const struct option_row *after);
// The rows of one stanza, in the order of the table.
size_t options_of(enum option_stanza stanza, const struct option_row *const **ret);
// The row of a key. Case does not matter, as in the peer.
const struct option_row *options_find(enum option_stanza stanza, const char *key);
// The nearest key of the stanza, for "did you mean"; NULL when none is near.
const char *options_nearest(enum option_stanza stanza, const char *key);

const struct option_row *options_by_flag(const char *flag);
// Whether the flag needs no value: --tls-skip-verify.
bool options_is_switch(const struct option_row *row);
// "flag=value" for conf_load_opts.overrides; the caller frees.
char *options_override(const struct option_row *row, const char *value);
const char *options_type_name(const struct option_row *row);

// The flags, for --help.
void options_help(struct buf *to);
// Every option, stanza by stanza: for people, and as the README's tables.
void options_text(struct buf *to);
void options_markdown(struct buf *to);
