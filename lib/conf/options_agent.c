// SPDX-License-Identifier: Apache-2.0
// Rows of the option table: the agent as a whole, where files are delivered, what is
// observed, what is refused.
#include "lib/conf/conf.h"
#include "lib/conf/options_int.h"

static const char *const revoked_words[] = {
	[REVOKED_KEEP] = "keep", [REVOKED_REMOVE] = "remove", NULL
};

const char *const conf_restrict_modes[] = { [RESTRICT_ENFORCE] = "enforce",
					    [RESTRICT_WARN] = "warn",
					    [RESTRICT_AUDIT] = "audit",
					    NULL };

#define TOP(field) .stanza = STANZA_TOP, .offset = offsetof(struct conf, field)
#define OBSERVE(field)                                                                   \
	.stanza = STANZA_OBSERVE, .offset = offsetof(struct conf_observe, field)
#define DELIVER(field)                                                                   \
	.stanza = STANZA_DELIVER, .offset = offsetof(struct conf_deliver, field)
#define POLICY(field)                                                                    \
	.stanza = STANZA_POLICY, .offset = offsetof(struct conf_policy, field)
#define RESTRICT(field)                                                                  \
	.stanza = STANZA_RESTRICT, .offset = offsetof(struct conf_restrict, field)
#define STATE(field) .stanza = STANZA_STATE, .offset = offsetof(struct conf_state, field)
#define BLOCK(name, text)                                                                \
	{                                                                                \
		.stanza = STANZA_TOP, .key = (name), .type = OPTION_BLOCK,               \
		.help = (text)                                                           \
	}

static const struct option_row rows[] = {
	{ TOP(log_level), .key = "log_level", .type = OPTION_LOG_LEVEL,
	  .default_ = "info", .env = "LOG_LEVEL", .flag = "log-level",
	  .annotation = "log-level", .peer = "log-level",
	  .help = "trace, debug, info, warn or error; audit lines are always written" },
	{ TOP(log_format), .key = "log_format", .type = OPTION_LOG_FORMAT,
	  .default_ = "text", .env = "LOG_FORMAT", .flag = "log-format",
	  .annotation = "log-format", .peer = "log-format",
	  .help = "text (the peer's standard) or json" },
	{ TOP(exit_after_auth), .key = "exit_after_auth", .type = OPTION_BOOL_STRICT,
	  .default_ = "false",
	  .help = "end with 0 when the sinks and every template have been written "
		  "(--once)" },
	{ TOP(pid_file), .key = "pid_file", .type = OPTION_STRING, .flag = "pid-file",
	  .help = "file for the process id, mode 0600, removed at the end" },
	{ TOP(status_socket), .key = "status_socket", .type = OPTION_STRING,
	  .env = "STATUS_SOCKET", .env_own = true, .flag = "status-socket",
	  .help = "unix socket for --probe and ampoule status" },
	{ TOP(metrics_address), .key = "metrics_address", .type = OPTION_STRING,
	  .env = "METRICS_ADDRESS", .env_own = true, .flag = "metrics-address",
	  .annotation = "metrics-address",
	  .help = "serves /metrics for Prometheus: 127.0.0.1:9102, or unix:///PATH" },
	{ TOP(audit_file), .key = "audit_file", .type = OPTION_STRING,
	  .env = "AUDIT_FILE", .env_own = true, .flag = "audit-file",
	  .help = "audit lines as JSON: a file to append to, or stderr; without it they "
		  "go "
		  "to the log in its format" },
	{ TOP(termination_log), .key = "termination_log", .type = OPTION_STRING,
	  .env = "TERMINATION_LOG", .env_own = true,
	  .help = "file for one line that says why the agent ended; the kubelet shows "
		  "it" },
	{ TOP(revoke_on_exit), .key = "revoke_on_exit", .type = OPTION_BOOL,
	  .default_ = "true", .annotation = "revoke-on-shutdown",
	  .peer = "agent-revoke-on-shutdown",
	  .help = "at the end revoke the token and the leases that the agent has got "
		  "itself" },
	{ TOP(start_timeout_ms), .key = "start_timeout", .type = OPTION_DURATION,
	  .default_ = "5m", .env = "START_TIMEOUT", .env_own = true,
	  .annotation = "wait-timeout",
	  .help = "deadline of the first rendering with --once, in exec mode and with "
		  "deliver" },
	{ TOP(on_revoked), .key = "on_revoked", .type = OPTION_WORD,
	  .words = revoked_words,
	  .help = "remove or keep a file whose secret is surely gone; the default is "
		  "remove, "
		  "and keep where there is a vault or auto_auth stanza" },
	{ TOP(notify), .also = offsetof(struct conf, n_notify), .key = "notify",
	  .type = OPTION_NOTIFY, .annotation = "notify",
	  .help = "what to do after a change, for templates without their own notify" },
	BLOCK("vault", "the peer's connection; the store named vault"),
	BLOCK("auto_auth", "the peer's login and token sinks, for the store named vault"),
	BLOCK("store", "a store of secrets; repeats"),
	BLOCK("sink", "a token sink, as in auto_auth; repeats"),
	BLOCK("template", "a file to render; repeats"),
	BLOCK("template_config", "what holds for all templates"),
	BLOCK("deliver", "a container and the folder that it sees; repeats"),
	BLOCK("observe", "whether the application has read what changed"),
	BLOCK("policy", "what the agent must refuse"),
	BLOCK("restrict", "what a policy of the webhook leaves to the agent; repeats"),
	BLOCK("state", "token and leases for a restart, sealed"),
	BLOCK("exec", "the command of exec mode"),
	BLOCK("env_template", "a variable of that command; repeats"),
	BLOCK("cache", "the peer's caching proxy"),
	BLOCK("api_proxy", "the peer's proxy"),
	BLOCK("listener", "where metrics, quit and the proxy listen; repeats"),
	BLOCK("telemetry", "the peer's metrics settings"),

	{ DELIVER(container), .key = "container", .type = OPTION_STRING,
	  .help = "the container's name; the block's label says the same" },
	{ DELIVER(folder), .key = "folder", .type = OPTION_STRING,
	  .help = "the container's folder on the memory volume, as the agent sees it" },
	{ DELIVER(mount), .key = "mount", .type = OPTION_STRING,
	  .default_ = "/vault/secrets", .annotation = "secret-volume-path",
	  .peer = "secret-volume-path",
	  .help = "where the application sees that folder; destinations lie under it" },
	{ DELIVER(uid), .key = "uid", .type = OPTION_NUMBER, .default_ = "-1",
	  .help = "the application's user, which decides the default file mode; -1: "
		  "unknown" },

	{ DELIVER(env_socket), .key = "env_socket", .type = OPTION_STRING,
	  .help = "unix socket where a wrapped command of this container gets its "
		  "variables (--wrap)" },

	{ OBSERVE(enabled), .key = "enabled", .type = OPTION_BOOL, .default_ = "true",
	  .help = "watch which container opens which version" },
	{ OBSERVE(unread_after_ms), .also = offsetof(struct conf_observe, on_unread),
	  .key = "unread_after", .type = OPTION_UNREAD, .annotation = "unread-after",
	  .help = "DURATION[:alarm|unready|rollback]: by then the application must have "
		  "opened the new version" },
	{ OBSERVE(grace_ms), .key = "grace", .type = OPTION_DURATION, .default_ = "10s",
	  .help = "how long an old version stays for readers that are in it" },

	{ POLICY(name), .key = "name", .type = OPTION_STRING,
	  .help = "the name in refusals" },
	{ POLICY(allow_paths), .key = "allow_paths", .type = OPTION_LIST,
	  .help = "patterns of store:path that may be read; without it all" },
	{ POLICY(deny_paths), .key = "deny_paths", .type = OPTION_LIST,
	  .help = "patterns of store:path that may not be read" },
	{ POLICY(deny_functions), .key = "deny_functions", .type = OPTION_LIST,
	  .help = "template functions that fail when called; * and ? match" },
	{ POLICY(read_dirs), .key = "read_dirs", .type = OPTION_LIST,
	  .help = "folders from which the function file may read" },
	{ POLICY(write_dirs), .key = "write_dirs", .type = OPTION_LIST,
	  .help = "folders, beside the volume, into which writeToFile may write" },
	{ POLICY(allow_env), .key = "allow_env", .type = OPTION_BOOL,
	  .help = "whether templates may read the agent's environment; the default is "
		  "no, and yes where there is a vault or auto_auth stanza" },
	{ POLICY(allow_disk), .key = "allow_disk", .type = OPTION_BOOL,
	  .default_ = "false",
	  .help = "whether a volume of deliver may be something else than memory" },
	{ POLICY(min_interval_ms), .key = "min_interval", .type = OPTION_DURATION,
	  .default_ = "0",
	  .help = "the shortest poll interval; shorter ones are raised to it" },

	{ RESTRICT(name), .key = "name", .type = OPTION_STRING,
	  .help = "the policy's name in refusals; the block's label says the same" },
	{ RESTRICT(mode), .key = "mode", .type = OPTION_WORD,
	  .words = conf_restrict_modes, .default_ = "enforce",
	  .help = "what it does not allow: enforce refuses; warn writes a warning and "
		  "the audit event policy; audit the event alone" },
	{ RESTRICT(allow_paths), .key = "allow_paths", .type = OPTION_LIST,
	  .help = "patterns of [store:]path; without it all" },
	{ RESTRICT(deny_paths), .key = "deny_paths", .type = OPTION_LIST,
	  .help = "patterns of [store:]path, which count for every spelling" },
	{ RESTRICT(except_paths), .key = "except_paths", .type = OPTION_LIST,
	  .help = "what deny_paths does not speak of" },
	{ RESTRICT(allow_functions), .key = "allow_functions", .type = OPTION_LIST,
	  .help = "template functions that may be called; without it all" },
	{ RESTRICT(deny_functions), .key = "deny_functions", .type = OPTION_LIST,
	  .help = "template functions that fail when called" },
	{ RESTRICT(max_ttl_ms), .key = "max_ttl", .type = OPTION_DURATION,
	  .default_ = "0",
	  .help = "the longest ttl that a template may ask for; 0: any" },

	{ STATE(path), .key = "path", .type = OPTION_STRING,
	  .help = "folder that only the agent mounts; the peer's cache { persist } names "
		  "it too" },
	{ STATE(key_file), .key = "key_file", .type = OPTION_STRING,
	  .help = "file of the sealing key, made when missing; without it the file key "
		  "in the folder" },
	{ STATE(keep_on_exit), .key = "keep_on_exit", .type = OPTION_BOOL,
	  .default_ = "true",
	  .help = "a SIGTERM leaves token and leases to the successor; false: "
		  "revoke_on_exit counts" },
	{ STATE(revoke_grace_ms), .key = "revoke_grace", .type = OPTION_DURATION,
	  .default_ = "0",
	  .help = "a SIGTERM that revokes is obeyed that much later, as the application "
		  "may end only now" },
	{ STATE(exit_on_err), .key = "exit_on_err", .type = OPTION_BOOL,
	  .default_ = "false",
	  .help = "end when the state cannot be used; else start without it" },
};

const struct option_part options_agent = { rows, ARRAY_LEN(rows) };
