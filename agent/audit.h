// SPDX-License-Identifier: Apache-2.0
// What a security team asks for later: who got which secret in which version, and what
// failed. One writer, one table of events; each line names identities and versions, never a
// value. The lines go to the log (level audit, in its format, never filtered), or as JSON
// into a file of their own. Events are counted here for metrics.c.
//
//	audit(AUDIT_FETCH, LOG_STR("secret", name), LOG_STR("version", version));
//	audit_error(AUDIT_LOGIN, &e, LOG_STR("store", name));
#pragma once

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/log.h"

enum audit_event {
	AUDIT_LOGIN,
	AUDIT_FETCH,
	AUDIT_GONE,
	AUDIT_RENDER,
	AUDIT_PUBLISH,
	AUDIT_REMOVE,
	AUDIT_ROLLBACK,
	AUDIT_SIGNAL,
	AUDIT_READ,
	AUDIT_UNREAD,
	AUDIT_AGED,
	AUDIT_RENEW,
	AUDIT_REVOKE,
	AUDIT_RESTART,
	AUDIT_VARIABLES,
	AUDIT_PROXY,
	AUDIT_QUIT,
	AUDIT_POLICY,
	AUDIT_EVENTS,
};

void audit_write(enum audit_event ev, const struct log_field *fields, size_t n);
#define audit(ev, ...) audit_write(ev, LOG_FIELDS_(__VA_ARGS__))
// The event "error": what was tried (`op` is its name), and why it failed.
void audit_write_error(enum audit_event op, const struct err *e,
		       const struct log_field *fields, size_t n);
#define audit_error(op, e, ...) audit_write_error(op, e, LOG_FIELDS_(__VA_ARGS__))

// "stderr", or a file: opened for appending, made with mode 0600. NULL: the log. Called
// again (SIGHUP) it opens the file anew, so that a rotated one can go.
MUST_CHECK bool audit_open(const char *path, struct err *e);

struct audit_count {
	uint64_t done, failed;
	int64_t last_wall_ms; // of the last success, 0 = none
};
const struct audit_count *audit_count(enum audit_event ev);
const char *audit_name(enum audit_event ev);
// The README's table: event, when, fields.
void audit_markdown(struct buf *to);
