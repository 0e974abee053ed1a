// SPDX-License-Identifier: Apache-2.0
// Rows of the option table: annotations that only the webhook obeys. They have no key in the
// agent's configuration.
#include "lib/conf/options_int.h"

#define POD(kind) .stanza = STANZA_POD, .type = (kind)

static const struct option_row rows[] = {
	{ POD(OPTION_BOOL), .annotation = "inject", .peer = "agent-inject",
	  .help = "ask for injection" },
};

const struct option_part options_pod = { rows, ARRAY_LEN(rows) };
