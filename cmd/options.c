// SPDX-License-Identifier: Apache-2.0
// ampoule options: the option table, for people and for the README.
#include <stdio.h>
#include <string.h>

#include "agent/audit.h"
#include "agent/metrics.h"
#include "cmd/cmd.h"
#include "lib/base/buf.h"
#include "lib/conf/options.h"

enum { OUTPUT_MAX = 1024 * 1024 };

int cmd_options(int argc, char **argv)
{
	AUTO_BUF struct buf out = BUF_INIT(OUTPUT_MAX);
	if (argc == 2 && strcmp(argv[1], "--markdown") == 0) {
		options_markdown(&out);
	} else if (argc == 2 && strcmp(argv[1], "--metrics") == 0) {
		agent_metrics_markdown(&out);
	} else if (argc == 2 && strcmp(argv[1], "--audit") == 0) {
		audit_markdown(&out);
	} else if (argc == 1) {
		options_text(&out);
	} else {
		bool asked = argc == 2 && strcmp(argv[1], "--help") == 0;
		fputs("usage: ampoule options [--markdown|--metrics|--audit]\n"
		      "Every configuration key with its annotation, variable and flag; "
		      "or the\n"
		      "tables of metrics and audit events, as Markdown.\n",
		      asked ? stdout : stderr);
		return asked ? CMD_GOOD : CMD_USAGE;
	}
	fputs(buf_str(&out), stdout);
	return CMD_GOOD;
}
