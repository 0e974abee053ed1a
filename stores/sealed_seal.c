// SPDX-License-Identifier: Apache-2.0
// The binding of a line's clear words inside its age message.
#include "stores/sealed_seal.h"

#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/mem.h"

enum {
	PLAIN_MAX = SEALED_CLEAR_MAX + 1 + SEALED_VALUE_MAX,
	SEALED_BYTES_MAX = SEALED_BODY_MAX / 4 * 3,
};

bool sealed_seal(const struct sealed_entry *entry, struct age_to recipients,
		 struct bytes value, struct sealed_line *ret, struct err *e)
{
	if (value.len > SEALED_VALUE_MAX)
		return err_set(
			e, ERR_LIMIT, 0,
			"a value of %zu bytes; at most %d (64 KiB): keep large files "
			"elsewhere and seal the key that opens them",
			value.len, SEALED_VALUE_MAX);
	AUTO_BUF struct buf text = BUF_INIT(SEALED_CLEAR_MAX + 1 + SEALED_BODY_MAX);
	AUTO_BUF struct buf plain = BUF_INIT(PLAIN_MAX);
	AUTO_BUF struct buf sealed = BUF_INIT(SEALED_BYTES_MAX);
	if (!sealed_entry_write(entry, &text, e))
		return false;
	buf_add(&plain, text.data, text.len);
	buf_putc(&plain, '\n');
	if (!buf_add(&plain, value.p, value.len))
		return err_set(e, ERR_LIMIT, 0, "the entry is too long");
	if (!age_seal(recipients, bytes_of(plain.data, plain.len), &sealed, e))
		return false;
	buf_putc(&text, ' ');
	if (!codec_b64_encode(sealed.data, sealed.len, B64_STD, &text))
		return err_set(e, ERR_LIMIT, 0, "the sealed entry is too long");
	sealed_line_parse((struct str){ text.data, text.len }, 0, ret);
	if (!ret->damage)
		return true;
	err_set(e, ERR_BUG, 0, "the new line does not parse: %s", ret->damage);
	sealed_line_release(ret);
	return false;
}

bool sealed_open(const struct sealed_line *l, const struct age_keyring *ring,
		 struct buf *ret_value, struct err *e)
{
	AUTO_BUF struct buf sealed = BUF_INIT(SEALED_BYTES_MAX);
	AUTO_BUF struct buf plain = BUF_INIT(PLAIN_MAX);
	if (!codec_b64_decode(l->sealed.p, l->sealed.len, B64_STD, &sealed, e) ||
	    !age_open(ring, bytes_of(buf_str(&sealed), sealed.len), &plain, e))
		return false;
	if (plain.len <= l->clear_len || memcmp(plain.data, l->text, l->clear_len) != 0 ||
	    plain.data[l->clear_len] != '\n')
		return err_set(
			e, ERR_DENIED, 0,
			"what is sealed belongs to another entry, version or scope "
			"than the line says: the line was moved or edited");
	size_t from = l->clear_len + 1;
	return buf_add(ret_value, plain.data + from, plain.len - from) ||
	       err_set(e, ERR_LIMIT, 0, "the value has more than %zu bytes",
		       ret_value->max);
}

bool sealed_scope_allows(const char *scope, const struct sealed_place *place,
			 struct err *e)
{
	if (strcmp(scope, "*") == 0)
		return true;
	const char *slash = strchr(scope, '/');
	size_t n = slash ? (size_t)(slash - scope) : strlen(scope);
	if (!place->namespace_)
		return err_set(
			e, ERR_DENIED, 0,
			"it is sealed for namespace '%.*s', and ours is not known: set "
			"the store's option 'namespace'",
			(int)n, scope);
	if (strlen(place->namespace_) != n || memcmp(scope, place->namespace_, n) != 0)
		return err_set(
			e, ERR_DENIED, 0,
			"it is sealed for namespace '%.*s'; this is namespace '%s'",
			(int)n, scope, place->namespace_);
	if (!slash)
		return true;
	if (!place->service_account)
		return err_set(
			e, ERR_DENIED, 0,
			"it is sealed for service account '%s', and ours is not known: "
			"set the store's option 'service_account'",
			slash + 1);
	return strcmp(slash + 1, place->service_account) == 0 ||
	       err_set(e, ERR_DENIED, 0,
		       "it is sealed for service account '%s'; this is '%s'", slash + 1,
		       place->service_account);
}
