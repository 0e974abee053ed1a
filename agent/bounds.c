// SPDX-License-Identifier: Apache-2.0
// Breaches of restrictions: refused, or told of once.
#include "agent/bounds.h"

#include <string.h>

#include "agent/audit.h"
#include "lib/base/mem.h"
#include "lib/crypto/digest.h"

enum { TOLD_MAX = 1024 };

// The beginnings of the digests of what was told; the oldest one makes room.
static struct {
	uint64_t list[TOLD_MAX];
	unsigned next;
} told;

static bool is_new(const char *text)
{
	unsigned char sum[DIGEST_SHA256_LEN];
	uint64_t key;
	if (!digest_of(DIGEST_SHA256, bytes_of(text, strlen(text)), sum, NULL))
		return true;
	memcpy(&key, sum, sizeof(key));
	for (unsigned i = 0; i < TOLD_MAX; i++)
		if (told.list[i] == key)
			return false;
	told.list[told.next++ % TOLD_MAX] = key;
	return true;
}

bool bounds_pass(const struct conf_breach *b, const char *who, struct err *e)
{
	const struct conf_restrict *r = b->by;
	if (r->mode == RESTRICT_ENFORCE) {
		if (e)
			*e = b->why;
		return false;
	}
	AUTO_FREE char *all = mem_printf("%s\n%s\n%s", who, b->rule, b->why.text);
	if (!is_new(all))
		return true;
	if (r->mode == RESTRICT_WARN)
		log_fail(LOG_WARN, &b->why, "a policy does not allow this",
			 LOG_STR("policy", r->name), LOG_STR("rule", b->rule),
			 LOG_STR("template", who));
	audit(AUDIT_POLICY, LOG_STR("policy", r->name), LOG_STR("rule", b->rule),
	      LOG_STR("mode", conf_restrict_modes[r->mode]), LOG_STR("template", who),
	      LOG_STR("why", b->why.text));
	return true;
}

bool bounds_path(const struct conf *c, const char *who, const char *store,
		 const char *path, struct err *e)
{
	for (struct conf_breach b = { 0 }; conf_breach_path(c, store, path, &b);)
		if (!bounds_pass(&b, who, e))
			return false;
	return true;
}

bool bounds_option(const struct conf *c, const char *who, const char *option,
		   struct err *e)
{
	for (struct conf_breach b = { 0 }; conf_breach_option(c, option, &b);)
		if (!bounds_pass(&b, who, e))
			return false;
	return true;
}

const char *bounds_function(const struct conf *c, const char *who, const char *name)
{
	for (struct conf_breach b = { 0 }; conf_breach_function(c, name, &b);)
		if (!bounds_pass(&b, who, NULL))
			return b.by->name;
	return NULL;
}
