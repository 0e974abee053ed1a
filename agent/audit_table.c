// SPDX-License-Identifier: Apache-2.0
// The table of audit events, for people. A file of its own: the agent does not link it.
#include "agent/audit.h"

static const struct {
	const char *when, *fields;
} events[AUDIT_EVENTS] = {
	[AUDIT_LOGIN] = { "a store has given a token", "store method ttl_s" },
	[AUDIT_FETCH] = { "a secret has come, or a new version of it",
			  "secret version lease_s" },
	[AUDIT_GONE] = { "the store has proved twice that a secret was removed",
			 "secret version kind error" },
	[AUDIT_RENDER] = { "a file or variable has new content", "template secrets" },
	[AUDIT_PUBLISH] = { "a container sees the new file",
			    "container file owner secrets generation" },
	[AUDIT_REMOVE] = { "a file was removed with its secret", "file owner secrets" },
	[AUDIT_ROLLBACK] = { "nobody read a version: the one before is back",
			     "file secrets" },
	[AUDIT_SIGNAL] = { "the application was told", "file notify secrets" },
	[AUDIT_READ] = { "a container has opened a version for the first time",
			 "container file owner secrets generation after_ms" },
	[AUDIT_UNREAD] = { "a container has not opened a version in time",
			   "container file owner secrets generation after_ms" },
	[AUDIT_AGED] = { "a secret is older than its `rotate_every`",
			 "file owner secrets age_s" },
	[AUDIT_RENEW] = { "a token or a lease was prolonged",
			  "store or secret, lease_s or ttl_s" },
	[AUDIT_REVOKE] = { "a token or a lease was given back", "store or secret" },
	[AUDIT_RESTART] = { "exec mode starts its command anew", "command" },
	[AUDIT_VARIABLES] = { "a wrapped command has got its variables",
			      "container count mode" },
	[AUDIT_PROXY] = { "a request went through the listener",
			  "store method path status cache" },
	[AUDIT_POLICY] = { "something was done that a policy in mode warn or audit does "
			   "not allow, for the first time",
			   "policy rule mode template why" },
	[AUDIT_QUIT] = { "somebody asked the listener for the end", "listener" },
};

void audit_markdown(struct buf *to)
{
	buf_puts(to, "| event | when | fields |\n|---|---|---|\n");
	for (enum audit_event ev = 0; ev < AUDIT_EVENTS; ev++)
		buf_printf(to, "| `%s` | %s | %s |\n", audit_name(ev), events[ev].when,
			   events[ev].fields);
	buf_puts(to, "| `error` | one of these failed | op kind error, and whose |\n");
}
