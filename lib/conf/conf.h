// SPDX-License-Identifier: Apache-2.0
// struct conf: what an agent shall do. The contract between the webhook, which writes it as
// JSON, the user, who writes it as HCL or JSON, and the agent, which obeys it.
//
// It speaks Vault Agent's configuration (vault, auto_auth, template, template_config, …) and
// ours beside it (store, deliver, notify, observe, policy). Each key is a row of the option
// table (options.h); a stanza's struct is filled from those rows. All strings belong to the
// conf and live until conf_free(); a const char * may be NULL when unset.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/log.h"

// How to reach a store over TLS. Files are read when used, and again when they change.
struct conf_tls {
	const char *ca_file, *ca_dir, *client_cert, *client_key, *server_name;
	bool skip_verify;
	bool tls12_max; // offer at most TLS 1.2 (dependencies.md section 2)
};

// auto_auth.method of the peer, or `auth` inside a store of ours.
struct conf_auth {
	const char *method;     // "kubernetes", "jwt", "approle", …; NULL = none
	const char *mount_path; // "auth/kubernetes"; NULL = "auth/" + method
	const char *namespace_;
	const char *wrap_ttl;
	int64_t min_backoff_ms, max_backoff_ms; // 1 s, 5 min
	bool exit_on_err;
	json_t *config; // the method's own keys (role, token_path, …); never NULL
};

// store "name" { type = … }, or the peer's vault stanza, which is the store "vault".
struct conf_store {
	const char *name; // how templates name it: "name:path"
	const char *type; // a name of stores/stores.c
	bool is_default;  // bare paths go here; exactly one
	const char *address;
	const char *namespace_;
	const char *proxy;
	struct conf_tls tls;
	struct conf_auth auth;
	const char *const *redirect_to; // other nodes of the store, NULL-ended; or NULL
	int64_t timeout_ms;             // of one request, 60 s
	unsigned max_connections;       // per host, 10
	int64_t num_retries; // before exit_on_retry_failure counts; 12, -1 = none
	json_t *options;     // keys that only this type of store knows; never NULL
};

// Token sink of the peer (auto_auth.sink).
struct conf_sink {
	const char *type; // "file"
	const char *path;
	unsigned mode;    // 0640
	int64_t uid, gid; // -1 = as created
	const char *wrap_ttl, *dh_type, *dh_path, *aad, *aad_env_var;
	bool derive_key;
};

enum conf_notify_kind {
	NOTIFY_SIGNAL, // signal:HUP@container, …@process=NAME, …@pidfile=PATH, …@uid=N
	NOTIFY_HTTP,    // http:8080/-/reload (localhost; POST)
	NOTIFY_RESTART, // restart@container (TERM to its main process)
	NOTIFY_COMMAND, // command: an argument vector
};
enum conf_target {
	TARGET_CONTAINER,
	TARGET_PROCESS,
	TARGET_PIDFILE,
	TARGET_UID,
	TARGET_CHILD
};

struct conf_notify {
	enum conf_notify_kind kind;
	int signal;
	enum conf_target target;
	const char *name; // container, process name or pid file
	int64_t uid;
	unsigned port;
	const char *path;        // of the URL, with its '/'
	const char *const *argv; // NULL-ended
	int64_t timeout_ms;      // of a command or request, 30 s
	const char *text;        // as the user wrote it, for messages
};

enum conf_unread { UNREAD_ALARM, UNREAD_UNREADY, UNREAD_ROLLBACK };
enum conf_revoked { REVOKED_KEEP, REVOKED_REMOVE };

// A file to render, or with env_template a variable of exec mode: its name, and no
// destination.
struct conf_template {
	const char *
		name; // <n> of the annotation, else the destination: for messages, status
	const char *source;   // file of the template; watched
	const char *contents; // or its text
	const char *stock;    // or the name of a stock template, over `secret`
	const char *secret;   // "[store:]path[?version=N][#key]" for a stock template
	const char *destination;
	const char *const
		*containers; // NULL-ended names of `deliver`; NULL = all that fit
	bool create_dest_dirs;
	bool has_mode; // else the default of design.md section 4.3
	unsigned mode;
	const char *user, *group; // name or number
	bool error_on_missing_key;
	bool error_fatal;
	const char *left_delimiter, *right_delimiter;
	bool backup;
	int64_t interval_ms; // 0 = template_config.static_secret_render_interval
	int64_t wait_min_ms, wait_max_ms;
	struct conf_notify *notify;
	size_t n_notify;
	int64_t unread_after_ms; // 0 = observe.unread_after
	enum conf_unread on_unread;
	bool has_on_revoked;
	enum conf_revoked on_revoked;
	const char *owner;
	int64_t rotate_every_ms;
	const char *const *function_denylist; // NULL-ended, or NULL
	const char *sandbox_path;             // the function `file` reads under it only
	int64_t command_timeout_ms;           // already in the notify entries
	bool exec_enabled;                    // already obeyed
};

// deliver "container" { folder = …  mount = … }
struct conf_deliver {
	const char *container;
	const char *folder; // of this container, as the agent sees it
	const char *mount;  // where the application sees that folder: /vault/secrets
	int64_t uid; // the application's user when it is known, else -1 (decides file modes)
	const char
		*env_socket; // where its wrapped command asks for variables; NULL = none
};

enum conf_restart { RESTART_ALWAYS, RESTART_NEVER };

// The command of exec mode, which gets the variables of env_template.
struct conf_exec {
	const char *const *command; // NULL-ended; NULL: behind -- or in another container
	enum conf_restart restart;  // when a variable changes
	const char *stop_signal;    // "SIGTERM": its name or number
	int stop_signo;
	int64_t stop_timeout_ms; // then SIGKILL, 30 s
	const char *out, *err;   // files for its stdout and stderr; NULL = the agent's
};

struct conf_observe {
	bool enabled;            // true
	int64_t unread_after_ms; // 0 = no deadline
	enum conf_unread on_unread;
	int64_t grace_ms; // how long old versions stay, 10 s
};

struct conf_policy {
	const char *name;               // in refusals
	const char *const *allow_paths; // globs of "store:path"; NULL = all
	const char *const *deny_paths;
	const char *const *deny_functions;
	const char *const *read_dirs;  // folders for the function `file`
	const char *const *write_dirs; // folders for writeToFile beside the volume
	bool allow_env;                // the functions env, mustEnv, envOrDefault
	bool allow_disk;               // volumes that are no tmpfs
	int64_t min_interval_ms;
};

// What becomes of what a restriction does not allow.
enum conf_restrict_mode { RESTRICT_ENFORCE, RESTRICT_WARN, RESTRICT_AUDIT };
extern const char *const conf_restrict_modes[]; // their words; NULL-ended

// restrict "policy" {…}: patterns of lib/conf/path_rule.h. Each one counts.
struct conf_restrict {
	const char *name;
	enum conf_restrict_mode mode;
	const char *const *allow_paths,
		*const *deny_paths;      // NULL-ended; NULL = all, none
	const char *const *except_paths; // what deny_paths spares
	const char *const *allow_functions, *const *deny_functions;
	int64_t max_ttl_ms; // 0 = any
};

// state {…}, or the peer's cache { persist {…} }: agent/state.h
struct conf_state {
	const char *path;        // NULL = none is kept
	const char *key_file;    // NULL = the file `key` in the folder
	bool keep_on_exit;       // a SIGTERM revokes nothing; true
	int64_t revoke_grace_ms; // from a SIGTERM to the end, when that revokes; 0
	bool exit_on_err;
};

struct conf_template_config {
	bool exit_on_retry_failure;
	int64_t static_interval_ms; // 5 min
	unsigned max_connections;   // 0 = the store's
	double lease_renewal_threshold;
};

struct conf {
	enum log_level log_level;
	enum log_format log_format;
	bool exit_after_auth; // the peer's word for --once
	const char *pid_file;
	const char *status_socket;   // unix socket of --probe, status; NULL = none
	const char *metrics_address; // where Prometheus may ask; NULL = only listeners
	const char *audit_file;      // NULL = the log
	const char *termination_log; // one line why, for the kubelet
	bool revoke_on_exit;         // token and leases that the agent got itself; true
	int64_t start_timeout_ms;    // of the first render with --once, 5 min
	enum conf_revoked on_revoked;
	struct conf_store *stores;
	size_t n_stores;
	struct conf_sink *sinks;
	size_t n_sinks;
	struct conf_template *templates;
	size_t n_templates;
	struct conf_template *variables; // env_template
	size_t n_variables;
	struct conf_exec exec;
	struct conf_deliver *deliver;
	size_t n_deliver;
	struct conf_notify *notify; // for templates without their own
	size_t n_notify;
	struct conf_observe observe;
	struct conf_policy policy;
	struct conf_restrict *restricts;
	size_t n_restricts;
	struct conf_state state;
	struct conf_template_config template_config;
	json_t *other; // stanzas of the peer for later: cache, api_proxy, listener, …
};

// One thing that the user should know: "FILE:LINE: reason". The caller logs or prints it.
typedef void conf_warn_fn(void *ctx, const char *text);

struct conf_load_opts {
	const char *const *paths; // files or folders, NULL-ended; merged in order
	const char *text;         // or one document of AMPOULE_CONFIG (JSON or HCL)
	const char *text_name;    // its name in messages; NULL = AMPOULE_CONFIG
	bool strict;              // warnings are errors
	bool has_command; // a command for env_template stands elsewhere (behind --)
	conf_warn_fn *warn;
	// When set, errors that nothing else hangs on are told here as well as warnings, and
	// loading goes on to find the others; conf_load() fails all the same, and *ret is
	// what could be understood (the caller's to free).
	conf_warn_fn *error;
	void *warn_ctx; // of both
	// "key=value" of command line flags (options_override()), NULL-ended, or NULL. Wins.
	const char *const *overrides;
	const char *const *environ_; // NULL-ended "K=V"; options that have an env name
};

// Reads, merges, checks. Errors name file, line, key and remedy.
MUST_CHECK bool conf_load(const struct conf_load_opts *opts, struct conf **ret,
			  struct err *e);
void conf_free(struct conf *c);
// The configuration in its own language, without what is the default; conf_load() reads it to
// the same result. The caller owns it.
json_t *conf_to_json(const struct conf *c);
// Whether both ask for the same (SIGHUP: then nothing needs to be made anew).
bool conf_equal(const struct conf *a, const struct conf *b);

// The store that a template's path names ("aws:prod/db" → aws, "prod/db"), or the default
// one with the whole path. NULL and an error when there is none.
const struct conf_store *conf_store_of(const struct conf *c, const char *path,
				       const char **ret_rest, struct err *e);

// A restriction that does not allow something; begins as zeros.
struct conf_breach {
	const struct conf_restrict *by;
	const char *rule; // as policies name it: "deny.paths"
	struct err why;   // in the policy's name
};
// What a template does that the restrictions do not allow: read a path of a store (without the
// store's name), ask for a lifetime by the argument "ttl=1h" or its like, call a function. Each
// call gives the next restriction behind b->by; false: there is no further one.
bool conf_breach_path(const struct conf *c, const char *store, const char *path,
		      struct conf_breach *b);
bool conf_breach_option(const struct conf *c, const char *option, struct conf_breach *b);
bool conf_breach_function(const struct conf *c, const char *name, struct conf_breach *b);
// The lifetime that "name=value" asks for, as its text up to the end, '&' or '#': the caller
// frees. NULL: it is about something else. What hides its name is "".
char *conf_lifetime(const char *option);

// One notification from its text form (configuration and annotation alike).
MUST_CHECK bool conf_notify_parse(const char *text, struct conf_notify *ret,
				  struct err *e);
void conf_notify_release(struct conf_notify *n);
