// SPDX-License-Identifier: Apache-2.0
// The agent's command line: its own words, and the option table's flags. Accepts the peers'
// spelling too: one dash or two, "-config=F" and "--config F", the word `agent` in front.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

enum args_probe { PROBE_NONE, PROBE_STARTUP, PROBE_READY, PROBE_LIVE };

struct args {
	const char **configs;   // NULL-ended
	const char **overrides; // "key=value" of the option table, NULL-ended
	size_t n_configs, n_overrides;
	bool help, version, once, wait, strict;
	enum args_probe probe;
	const char *socket;  // of the probe; else the configuration's
	const char *timeout; // of --once and --probe --wait
	const char *wrap;    // the sidecar's env_socket
	const char *copy_to; // a folder
	char **command;      // behind "--", NULL when there is none
};

// argv must live as long as the args. Errors name the word and the nearest known one.
MUST_CHECK bool args_parse(int argc, char **argv, struct args *ret, struct err *e);
void args_release(struct args *a);
// The text of --help.
void args_help(void);
