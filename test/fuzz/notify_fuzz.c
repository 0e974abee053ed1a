// SPDX-License-Identifier: Apache-2.0
// links: lib/conf
// A notification's text and a peer's command line. A command never fails: what is no signal
// stays a command.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/conf/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct conf_notify *n)
{
	bool ok = n->text && n->timeout_ms > 0;
	switch (n->kind) {
	case NOTIFY_SIGNAL:
		ok = ok && n->signal > 0 && n->signal <= 64 &&
		     (n->target == TARGET_CHILD ||
		      (n->target == TARGET_UID ? n->uid >= 0 : n->name && *n->name));
		break;
	case NOTIFY_HTTP:
		ok = ok && n->port > 0 && n->port < 65536 && n->path && *n->path == '/';
		break;
	case NOTIFY_RESTART:
		ok = ok && n->name && *n->name;
		break;
	case NOTIFY_COMMAND:
		ok = ok && n->argv && n->argv[0] && *n->argv[0];
		break;
	}
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_init(false);
	AUTO_POOL struct pool p = { 0 };
	AUTO_FREE char *text = mem_strndup((const char *)data, size);
	struct conf_notify *list = NULL, one;
	size_t n = 0;
	struct err e = ERR_INIT;
	if (!notify_add(&p, text, &list, &n, &e) && e.kind == ERR_NONE)
		abort();
	for (size_t i = 0; i < n; i++)
		check(&list[i]);
	if (conf_notify_parse(text, &one, NULL)) {
		check(&one);
		conf_notify_release(&one);
	}
	const char *line[] = { text, NULL };
	const char *shell[] = { "/bin/sh", "-c", text, NULL };
	list = NULL;
	n = 0;
	if (*text && (!notify_add_command(&p, line, &list, &n, NULL) ||
		      !notify_add_command(&p, shell, &list, &n, NULL) || n != 2))
		abort();
	for (size_t i = 0; i < n; i++)
		check(&list[i]);
	return 0;
}
