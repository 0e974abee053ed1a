// SPDX-License-Identifier: Apache-2.0
// Rows of the option table: what Vault Agent knows and the agent keeps for its proxy, and what has no meaning here.
#include "lib/conf/options_int.h"

#define KEPT(in, name, kind, text)                                                       \
	{                                                                                \
		.stanza = (in), .key = (name), .type = (kind), .help = (text)            \
	}
#define IGNORED(in, name, what, why)                                                     \
	{                                                                                \
		.stanza = (in), .key = (name), .type = OPTION_IGNORED, .help = (what),   \
		.ignored = (why)                                                         \
	}
#define LOG_FILE "logs go to stderr; the container runtime keeps and rotates them"
#define CONNECTIONS "connections are closed when a round of requests is over"
#define REPLICAS                                                                         \
	"the proxy asks the store's address as it is, and repeats nothing by itself"
#define TLS_OF_LISTENER "a listener speaks TLS 1.2 and 1.3 with the library's own ciphers"

static const struct option_row rows[] = {
	{ .stanza = STANZA_TOP,
	  .key = "log_file",
	  .type = OPTION_IGNORED,
	  .flag = "log-file",
	  .help = "file for the log",
	  .ignored = LOG_FILE },
	{ .stanza = STANZA_TOP,
	  .key = "log_rotate_duration",
	  .type = OPTION_IGNORED,
	  .flag = "log-rotate-duration",
	  .help = "age of a log file",
	  .ignored = LOG_FILE },
	{ .stanza = STANZA_TOP,
	  .key = "log_rotate_bytes",
	  .type = OPTION_IGNORED,
	  .flag = "log-rotate-bytes",
	  .help = "size of a log file",
	  .ignored = LOG_FILE },
	{ .stanza = STANZA_TOP,
	  .key = "log_rotate_max_files",
	  .type = OPTION_IGNORED,
	  .flag = "log-rotate-max-files",
	  .help = "number of log files",
	  .ignored = LOG_FILE },
	{ .stanza = STANZA_TOP,
	  .key = "disable_idle_connections",
	  .type = OPTION_IGNORED,
	  .peer = "agent-disable-idle-connections",
	  .help = "auto-auth, caching, proxying, templating",
	  .ignored = CONNECTIONS },
	{ .stanza = STANZA_TOP,
	  .key = "disable_keep_alives",
	  .type = OPTION_IGNORED,
	  .peer = "agent-disable-keep-alives",
	  .help = "auto-auth, caching, proxying, templating",
	  .ignored = CONNECTIONS },

	{ .stanza = STANZA_CACHE,
	  .key = "use_auto_auth_token",
	  .type = OPTION_ANY,
	  .peer = "agent-cache-use-auto-auth-token",
	  .help = "true, false or force" },
	KEPT(STANZA_CACHE, "persist", OPTION_BLOCK,
	     "persist \"kubernetes\" { path = … }"),
	IGNORED(STANZA_CACHE, "enforce_consistency", "the peer's, for replicas",
		REPLICAS),
	IGNORED(STANZA_CACHE, "when_inconsistent", "the peer's, for replicas", REPLICAS),
	KEPT(STANZA_CACHE_PERSIST, "type", OPTION_STRING,
	     "kubernetes; the label says the same"),
	KEPT(STANZA_CACHE_PERSIST, "path", OPTION_STRING, "folder of the file"),
	KEPT(STANZA_CACHE_PERSIST, "keep_after_import", OPTION_BOOL,
	     "keep the file once read"),
	KEPT(STANZA_CACHE_PERSIST, "service_account_token_file", OPTION_STRING,
	     "its lock"),
	{ .stanza = STANZA_CACHE_PERSIST,
	  .key = "exit_on_err",
	  .type = OPTION_BOOL,
	  .peer = "agent-cache-exit-on-err",
	  .help = "end when the file cannot be read" },

	KEPT(STANZA_API_PROXY, "use_auto_auth_token", OPTION_ANY, "true, false or force"),
	IGNORED(STANZA_API_PROXY, "enforce_consistency", "the peer's, for replicas",
		REPLICAS),
	IGNORED(STANZA_API_PROXY, "when_inconsistent", "the peer's, for replicas",
		REPLICAS),
	IGNORED(STANZA_API_PROXY, "prepend_configured_namespace", "the peer's",
		"a request's own namespace counts; one without gets the configured one"),

	KEPT(STANZA_LISTENER, "type", OPTION_STRING,
	     "tcp or unix; the label says the same"),
	{ .stanza = STANZA_LISTENER,
	  .key = "address",
	  .type = OPTION_STRING,
	  .peer = "agent-cache-listener-port",
	  .help = "127.0.0.1:8200, or the socket's path" },
	KEPT(STANZA_LISTENER, "tls_disable", OPTION_BOOL, "plain HTTP"),
	KEPT(STANZA_LISTENER, "tls_cert_file", OPTION_STRING, "the certificate"),
	KEPT(STANZA_LISTENER, "tls_key_file", OPTION_STRING, "its key"),
	KEPT(STANZA_LISTENER, "tls_client_ca_file", OPTION_STRING, "who may connect"),
	IGNORED(STANZA_LISTENER, "tls_min_version", "tls12 or tls13", TLS_OF_LISTENER),
	IGNORED(STANZA_LISTENER, "tls_max_version", "tls12 or tls13", TLS_OF_LISTENER),
	IGNORED(STANZA_LISTENER, "tls_cipher_suites", "the peer's", TLS_OF_LISTENER),
	IGNORED(STANZA_LISTENER, "tls_prefer_server_cipher_suites", "the peer's",
		TLS_OF_LISTENER),
	KEPT(STANZA_LISTENER, "tls_require_and_verify_client_cert", OPTION_BOOL,
	     "the peer's"),
	KEPT(STANZA_LISTENER, "tls_disable_client_certs", OPTION_BOOL, "the peer's"),
	KEPT(STANZA_LISTENER, "require_request_header", OPTION_BOOL,
	     "refuse requests without X-Vault-Request"),
	KEPT(STANZA_LISTENER, "role", OPTION_STRING, "default or metrics_only"),
	KEPT(STANZA_LISTENER, "agent_api", OPTION_BLOCK,
	     "agent_api { enable_quit = true }"),
	KEPT(STANZA_LISTENER, "socket_mode", OPTION_STRING, "mode of a unix socket"),
	KEPT(STANZA_LISTENER, "socket_user", OPTION_ID, "owner of a unix socket"),
	KEPT(STANZA_LISTENER, "socket_group", OPTION_ID, "group of a unix socket"),
};

const struct option_part options_peer = { rows, ARRAY_LEN(rows) };
