// SPDX-License-Identifier: Apache-2.0
// Rows of the option table: exec mode, its command and the variables that the command gets.
#include "lib/conf/conf.h"
#include "lib/conf/options_int.h"

static const char *const restart_words[] = {
	[RESTART_ALWAYS] = "always", [RESTART_NEVER] = "never", NULL
};

#define EXEC(field) .stanza = STANZA_EXEC, .offset = offsetof(struct conf_exec, field)
#define FIELD(field) offsetof(struct conf_template, field)
#define VARIABLE(field) .stanza = STANZA_ENV_TEMPLATE, .offset = FIELD(field)

static const struct option_row rows[] = {
	{ EXEC(command), .key = "command", .type = OPTION_ARGV,
	  .help = "the program and its arguments; no shell reads them" },
	{ EXEC(restart), .key = "restart_on_secret_changes", .type = OPTION_WORD,
	  .words = restart_words, .default_ = "always",
	  .help = "always: when a variable changes the command is started anew; never: "
		  "it "
		  "is left alone" },
	{ EXEC(stop_signal), .key = "restart_stop_signal", .type = OPTION_STRING,
	  .default_ = "SIGTERM",
	  .help = "what asks the command to end before a restart" },
	{ EXEC(stop_timeout_ms), .key = "restart_stop_timeout", .type = OPTION_DURATION,
	  .default_ = "30s", .help = "how long it may take; then SIGKILL" },
	{ EXEC(out), .key = "child_process_stdout", .type = OPTION_STRING,
	  .help = "file for its stdout, appended to; without it the agent's" },
	{ EXEC(err), .key = "child_process_stderr", .type = OPTION_STRING,
	  .help = "file for its stderr, appended to; without it the agent's" },

	{ VARIABLE(name), .key = "name", .type = OPTION_STRING,
	  .help = "the variable; the label says the same" },
	{ VARIABLE(contents), .key = "contents", .type = OPTION_STRING,
	  .help = "text of the template" },
	{ VARIABLE(source), .key = "source", .type = OPTION_STRING,
	  .help = "file of the template; watched" },
	{ VARIABLE(stock), .key = "stock", .type = OPTION_STRING,
	  .help = "name of a ready template for `secret`, as in template" },
	{ VARIABLE(secret), .key = "secret", .type = OPTION_STRING,
	  .help = "[store:]path[?version=N][#key], as in template" },
	{ VARIABLE(containers), .key = "containers", .type = OPTION_LIST,
	  .help = "deliver blocks whose wrapped command gets it; without it all" },
	{ VARIABLE(error_on_missing_key), .key = "error_on_missing_key",
	  .type = OPTION_BOOL_STRICT, .default_ = "false", .help = "as in template" },
	{ VARIABLE(error_fatal), .key = "error_fatal", .type = OPTION_BOOL_STRICT,
	  .default_ = "true", .help = "as in template" },
	{ VARIABLE(left_delimiter), .key = "left_delimiter", .type = OPTION_STRING,
	  .default_ = "{{", .help = "as in template" },
	{ VARIABLE(right_delimiter), .key = "right_delimiter", .type = OPTION_STRING,
	  .default_ = "}}", .help = "as in template" },
	{ VARIABLE(interval_ms), .key = "interval", .type = OPTION_DURATION,
	  .help = "as in template" },
	{ VARIABLE(wait_min_ms), .also = FIELD(wait_max_ms), .key = "wait",
	  .type = OPTION_WAIT, .help = "as in template" },
	{ VARIABLE(notify), .also = FIELD(n_notify), .key = "notify",
	  .type = OPTION_NOTIFY,
	  .help = "what to do after a change beside the restart, or with never instead "
		  "of "
		  "it: signal:HUP@child, …" },
	{ VARIABLE(function_denylist), .key = "function_denylist", .type = OPTION_LIST,
	  .help = "as in template" },
	{ VARIABLE(function_denylist), .alias = true, .key = "function_blacklist",
	  .type = OPTION_LIST, .help = "as in template" },
	{ VARIABLE(sandbox_path), .key = "sandbox_path", .type = OPTION_STRING,
	  .help = "as in template" },
};

const struct option_part options_exec = { rows, ARRAY_LEN(rows) };
