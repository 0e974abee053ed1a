// SPDX-License-Identifier: Apache-2.0
// The parts of the option table, for options*.c only.
#pragma once

#include "lib/conf/options.h"

struct option_part {
	const struct option_row *rows;
	size_t n;
};

extern const struct option_part options_agent, options_store, options_template,
	options_exec, options_peer, options_pod;
