// SPDX-License-Identifier: Apache-2.0
// The blocks of the configuration that need the API server.
#include <stddef.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/conf/node.h"
#include "lib/kube/kube.h"
#include "webhook/settings_int.h"

enum { SECOND_MS = 1000, RENEW_PERCENT = 66 };

enum kind { TEXT, DURATION, NAMES };

static const struct row {
	const char *block, *key;
	enum kind kind;
	size_t offset; // in struct settings_kube
} rows[] = {
#define ROW(block, key, kind, member)                                                    \
	{                                                                                \
		block, key, kind, offsetof(struct settings_kube, member)                 \
	}
	ROW("kubernetes", "server", TEXT, server),
	ROW("kubernetes", "ca_file", TEXT, ca_file),
	ROW("kubernetes", "token_file", TEXT, token_file),
	ROW("kubernetes", "namespace", TEXT, namespace_),
	ROW("self_signed", "secret", TEXT, secret),
	ROW("self_signed", "service", TEXT, service),
	ROW("self_signed", "registration", TEXT, registration),
	ROW("self_signed", "names", NAMES, names),
	ROW("self_signed", "lifetime", DURATION, lifetime_ms),
	ROW("self_signed", "renew_after", DURATION, renew_ms),
	ROW("self_signed", "settle", DURATION, settle_ms),
#undef ROW
};

void settings_kube_init(struct settings_kube *k)
{
	*k = (struct settings_kube){ .secret = "ampoule-webhook-tls",
				     .service = "ampoule-webhook",
				     .registration = "ampoule-webhook",
				     .lifetime_ms = (int64_t)90 * 24 * 3600 * SECOND_MS,
				     .settle_ms = 10 * SECOND_MS };
}

static bool same(const struct row *row, const char *a, const char *b)
{
	const void *one, *two;
	if (row->kind == DURATION)
		return memcmp(a, b, sizeof(int64_t)) == 0;
	memcpy(&one, a, sizeof(one));
	memcpy(&two, b, sizeof(two));
	return one == two || (one && two && row->kind == TEXT && strcmp(one, two) == 0) ||
	       (one && two && row->kind == NAMES && json_equal(one, two));
}

void settings_kube_fixed(const struct settings_kube *begun,
			 const struct settings_kube *now, settings_tell *tell)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!same(&rows[i], (const char *)begun + rows[i].offset,
			  (const char *)now + rows[i].offset))
			tell(rows[i].key);
}

static bool read_names(const struct node *n, json_t *to, struct err *e)
{
	if (n->kind != NODE_LIST)
		return node_err(n, e, "a list of host names is wanted");
	for (const struct node *one = n->first; one; one = one->next) {
		if (one->kind != NODE_STRING || !*one->text || str_ends(one->text, "."))
			return node_err(one, e,
					"a host name without a dot at its end is wanted");
		json_array_append_new(to, json_string(one->text));
	}
	return true;
}

static bool read_row(const struct row *row, const struct node *n, struct settings *s,
		     struct err *e)
{
	char *at = (char *)&s->kube + row->offset;
	struct err why = ERR_INIT;
	int64_t ms = 0;
	json_t *kept = row->kind == NAMES ? json_array() : NULL;
	if (row->kind == NAMES) {
		json_object_set_new(s->document, "self_signed.names", kept);
		memcpy(at, &kept, sizeof(kept));
		return read_names(n, kept, e);
	}
	if ((n->kind != NODE_STRING && n->kind != NODE_INT) || !*n->text)
		return node_err(n, e, "a text is wanted");
	if (row->kind == DURATION) {
		if (!str_duration_ms(n->text, &ms, &why))
			return node_err(n, e, "%s", why.text);
		memcpy(at, &ms, sizeof(ms));
		return true;
	}
	// No key of the document itself has a dot.
	kept = json_string(n->text);
	AUTO_FREE char *key = mem_printf("%s.%s", row->block, row->key);
	json_object_set_new(s->document, key, kept);
	const char *text = json_string_value(kept);
	memcpy(at, &text, sizeof(text));
	return true;
}

static const struct row *find(const char *block, const struct node *n)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].block, block) == 0 && node_key_is(n, rows[i].key))
			return &rows[i];
	return NULL;
}

static bool read_block(struct pool *p, const struct node *root, const char *name,
		       struct settings *s, bool *ret_there, struct err *e)
{
	struct node_blocks blocks = { 0 };
	if (!node_collect(p, root, name, NULL, &blocks, e))
		return false;
	*ret_there = blocks.n > 0;
	for (size_t i = 0; i < blocks.n; i++)
		for (const struct node *n = blocks.list[i].body->first; n; n = n->next) {
			const struct row *row = find(name, n);
			if (!row)
				return node_err(n, e, "there is no such key in %s", name);
			if (!read_row(row, n, s, e))
				return false;
		}
	return true;
}

bool settings_kube_read(struct pool *p, const struct node *root, struct settings *s,
			struct err *e)
{
	struct settings_kube *k = &s->kube;
	bool unused;
	if (!read_block(p, root, "kubernetes", s, &unused, e) ||
	    !read_block(p, root, "self_signed", s, &k->self_signed, e))
		return false;
	if (!k->renew_ms)
		k->renew_ms = k->lifetime_ms / 100 * RENEW_PERCENT;
	if (!s->cert_file != !s->key_file)
		return node_err(root, e,
				"tls_cert_file and tls_key_file belong together; one of "
				"them is missing");
	if (k->self_signed && s->cert_file)
		return node_err(
			node_get(root, "tls_cert_file"), e,
			"certificates come from files or from self_signed; remove "
			"one of the two");
	if (k->self_signed &&
	    (k->renew_ms <= k->settle_ms || k->renew_ms + k->settle_ms >= k->lifetime_ms))
		return node_err(
			node_place(root, "self_signed"), e,
			"renew_after must be longer than settle, and lifetime longer "
			"than both together");
	return true;
}
