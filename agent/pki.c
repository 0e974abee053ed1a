// SPDX-License-Identifier: Apache-2.0
// Certificates in files.
#include "agent/pki.h"

#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/crypto/x509.h"

enum { BLOCKS_MAX = 512, SHARE_PERCENT = 90 };

static const char begin_mark[] = "-----BEGIN ", end_mark[] = "-----END ";

// The next block as it is written, without the line's end behind it.
static bool next_block(struct bytes *rest, struct bytes *ret)
{
	const unsigned char *from =
		rest->len ? memmem(rest->p, rest->len, begin_mark, strlen(begin_mark))
			  : NULL;
	if (!from)
		return false;
	size_t len = rest->len - (size_t)(from - rest->p);
	const unsigned char *end = memmem(from, len, end_mark, strlen(end_mark));
	if (!end)
		return false;
	const unsigned char *stop = end + strlen(end_mark);
	size_t left = len - (size_t)(stop - from);
	const unsigned char *dashes = memmem(stop, left, "-----", 5);
	if (!dashes)
		return false;
	*ret = bytes_of(from, (size_t)(dashes + 5 - from));
	*rest = bytes_of(dashes + 5, len - ret->len);
	return true;
}

// "a.example,b.example": each must be named.
static bool names_all(const struct x509 *c, const json_t *params, const char *key)
{
	const char *list = json_string_value(json_object_get(params, key));
	struct str rest = str_of(list), one;
	while (str_next(&rest, ',', &one)) {
		struct str name = str_trim(one);
		AUTO_FREE char *text = mem_strndup(name.p, name.len);
		if (name.len && !x509_names_host(c, text))
			return false;
	}
	return true;
}

static int64_t left_of(const struct x509 *c, int64_t now_ms)
{
	int64_t life = c->not_after - c->not_before;
	return (c->not_before + life / 100 * SHARE_PERCENT +
		life % 100 * SHARE_PERCENT / 100) *
		       1000 -
	       now_ms;
}

static bool fits(const struct x509 *c, const struct pki_want *w)
{
	return !c->is_ca && c->not_before * 1000 <= w->now_ms &&
	       c->not_after > c->not_before && c->not_after < INT64_C(1) << 40 &&
	       left_of(c, w->now_ms) > 0 && names_all(c, w->params, "common_name") &&
	       names_all(c, w->params, "alt_names") && names_all(c, w->params, "ip_sans");
}

static json_t *text_of(struct bytes b)
{
	return json_str((const char *)b.p, b.len);
}

// The key of a certificate, wherever it stands.
static bool find_key(struct bytes text, const struct x509 *c, struct bytes *ret)
{
	struct bytes block;
	for (unsigned i = 0; i < BLOCKS_MAX && next_block(&text, &block); i++) {
		AUTO_PKEY struct pkey *k = NULL;
		if (memmem(block.p, block.len, "PRIVATE KEY-----", 16) &&
		    pkey_from_pem(block, &k, NULL) && x509_matches_key(c, k, NULL)) {
			*ret = block;
			return true;
		}
	}
	return false;
}

// The authorities that stand in the text, the leaf's own first.
static void add_chain(struct bytes text, const struct x509 *leaf, json_t *data)
{
	json_t *chain = json_array();
	struct bytes block;
	json_object_set_new(data, "ca_chain", chain);
	for (unsigned i = 0; i < BLOCKS_MAX && next_block(&text, &block); i++) {
		AUTO_X509 struct x509 *ca = NULL;
		if (!x509_from_pem(block, &ca, NULL) || !ca->is_ca)
			continue;
		json_array_append_new(chain, text_of(block));
		if (!json_object_get(data, "issuing_ca") &&
		    x509_issued_by(leaf, ca, NULL))
			json_object_set_new(data, "issuing_ca", text_of(block));
	}
}

bool pki_find(struct bytes text, const struct pki_want *want, struct pki_found *ret)
{
	struct bytes rest = text, block, key;
	for (unsigned i = 0; i < BLOCKS_MAX && next_block(&rest, &block); i++) {
		AUTO_X509 struct x509 *c = NULL;
		if (!x509_from_pem(block, &c, NULL) || !fits(c, want) ||
		    !find_key(text, c, &key))
			continue;
		json_t *data = json_pack("{s:o, s:o}", "certificate", text_of(block),
					 "private_key", text_of(key));
		if (!data)
			return false; // not UTF-8
		add_chain(text, c, data);
		ret->body = json_pack("{s:o, s:s, s:b}", "data", data, "lease_id", "",
				      "renewable", 0);
		ret->serial = mem_strdup(c->serial);
		ret->left_ms = left_of(c, want->now_ms);
		return true;
	}
	return false;
}
