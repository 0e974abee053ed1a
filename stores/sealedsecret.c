// SPDX-License-Identifier: Apache-2.0
// Reads and opens SealedSecret documents.
#include "stores/sealedsecret.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/crypto/aead.h"
#include "lib/crypto/digest.h"

static const char api[] = "bitnami.com/v1alpha1";
static const char kind[] = "SealedSecret";
static const char namespace_wide[] = "sealedsecrets.bitnami.com/namespace-wide";
static const char cluster_wide[] = "sealedsecrets.bitnami.com/cluster-wide";
enum { LETTERS_MAX = 2 * SEALEDSECRET_VALUE_MAX, LABEL_MAX = 512 };

bool sealedsecret_is(const json_t *doc)
{
	const char *version = manifest_str(doc, NULL, "apiVersion");
	const char *word = manifest_str(doc, NULL, "kind");
	return version && word && strcmp(version, api) == 0 && strcmp(word, kind) == 0;
}

static enum sealedsecret_scope scope_of(const json_t *doc)
{
	const json_t *annotations =
		json_object_get(json_object_get(doc, "metadata"), "annotations");
	const char *cluster = manifest_str(annotations, NULL, cluster_wide);
	const char *wide = manifest_str(annotations, NULL, namespace_wide);
	if (cluster && strcmp(cluster, "true") == 0)
		return SCOPE_CLUSTER;
	return wide && strcmp(wide, "true") == 0 ? SCOPE_NAMESPACE : SCOPE_STRICT;
}

bool sealedsecret_read(const json_t *doc, const char *default_namespace,
		       struct sealedsecret *ret, struct err *e)
{
	*ret = (struct sealedsecret){
		.name = manifest_str(doc, "metadata", "name"),
		.namespace_ = manifest_str(doc, "metadata", "namespace"),
		.scope = scope_of(doc),
		.items = json_object_get(json_object_get(doc, "spec"), "encryptedData"),
	};
	if (!ret->namespace_)
		ret->namespace_ = default_namespace;
	if (!ret->name)
		return err_set(e, ERR_CONFIG, 0, "a SealedSecret without metadata.name");
	if (!json_is_object(ret->items))
		return err_set(
			e, ERR_CONFIG, 0,
			"SealedSecret '%s' has no spec.encryptedData (the old form "
			"spec.data is not read: kubeseal --re-encrypt writes the new "
			"one)",
			ret->name);
	return true;
}

static bool label_of(const struct sealedsecret *s, struct buf *to, struct err *e)
{
	if (s->scope == SCOPE_CLUSTER)
		return true;
	if (!s->namespace_)
		return err_set(
			e, ERR_CONFIG, 0,
			"SealedSecret '%s' names no namespace: set the store's option "
			"'namespace'",
			s->name);
	buf_puts(to, s->namespace_);
	if (s->scope == SCOPE_STRICT)
		buf_printf(to, "/%s", s->name);
	return !buf_failed(to) || err_set(e, ERR_LIMIT, 0, "a name is too long");
}

// The item's session key, by whichever private key fits.
static bool unwrap(struct sealedsecret_keys *keys, struct bytes label,
		   struct bytes wrapped, struct buf *to, struct err *e)
{
	for (size_t tried = 0; tried < keys->n; tried++) {
		struct err why = ERR_INIT;
		size_t i = (keys->last + tried) % keys->n;
		if (pkey_bits(keys->keys[i]) != wrapped.len * 8)
			continue;
		if (pkey_oaep_decrypt(keys->keys[i], label, wrapped, to, &why)) {
			keys->last = i;
			return to->len == AEAD_KEY_LEN ||
			       err_set(e, ERR_DENIED, 0,
				       "it holds a key of a wrong length");
		}
		if (why.kind != ERR_DENIED)
			return err_set(e, why.kind, why.cause, "%s", why.text);
	}
	return err_set(e, ERR_DENIED, 0,
		       "none of the %zu private keys opens it: it was sealed for another "
		       "cluster, or moved to another name or namespace",
		       keys->n);
}

static bool open_bytes(struct sealedsecret_keys *keys, struct bytes label,
		       struct bytes item, struct buf *to, struct err *e)
{
	static const unsigned char nonce[AEAD_NONCE_LEN];
	AUTO_BUF struct buf key = BUF_INIT(1024);
	size_t n = item.len < 2 ? 0 : (size_t)item.p[0] << 8 | item.p[1];
	if (n == 0 || item.len - 2 < n)
		return err_set(e, ERR_CONFIG, 0, "it is cut off");
	if (!unwrap(keys, label, bytes_of(item.p + 2, n), &key, e))
		return false;
	struct aead a = { AEAD_AES_256_GCM, (const unsigned char *)key.data, nonce,
			  BYTES_NONE };
	return aead_open(&a, bytes_of(item.p + 2 + n, item.len - 2 - n), to, e);
}

bool sealedsecret_open_item(const struct sealedsecret *s, struct sealedsecret_keys *keys,
			    const char *item, struct buf *to, struct err *e)
{
	AUTO_BUF struct buf label = BUF_INIT(LABEL_MAX), bytes = BUF_INIT(LETTERS_MAX);
	const char *text = json_string_value(json_object_get(s->items, item));
	if (!text)
		return err_set(e, ERR_MISSING, 0, "SealedSecret '%s' has no item '%s'",
			       s->name, item);
	if (!label_of(s, &label, e))
		return false;
	if (codec_b64_decode(text, strlen(text), B64_STD | B64_NEWLINES, &bytes, e) &&
	    open_bytes(keys, bytes_of(buf_str(&label), label.len),
		       bytes_of(buf_str(&bytes), bytes.len), to, e))
		return true;
	return err_wrap(e, "SealedSecret '%s', item '%s'", s->name, item);
}

// Text as it is, other bytes as Base64, as a Secret's data shows them.
static json_t *value_of(const struct buf *b)
{
	const char *text = buf_str(b);
	if (str_valid_utf8(text, b->len) && !memchr(text, '\0', b->len))
		return json_str(text, b->len);
	AUTO_BUF struct buf letters = BUF_INIT(LETTERS_MAX);
	codec_b64_encode(text, b->len, B64_STD, &letters);
	return json_str(buf_str(&letters), letters.len);
}

bool sealedsecret_open(const struct sealedsecret *s, struct sealedsecret_keys *keys,
		       json_t **ret, struct err *e)
{
	AUTO_JSON json_t *data = json_object();
	const char *item;
	json_t *unused;
	json_object_foreach((json_t *)s->items, item, unused)
	{
		AUTO_BUF struct buf value = BUF_INIT(SEALEDSECRET_VALUE_MAX);
		if (!sealedsecret_open_item(s, keys, item, &value, e))
			return false;
		json_object_set_new(data, item, value_of(&value));
	}
	*ret = TAKE(data);
	return true;
}

bool sealedsecret_version(const struct sealedsecret *s, char ret[static 13],
			  struct err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(MANIFEST_MAX);
	unsigned char sum[DIGEST_SHA256_LEN];
	buf_printf(&text, "%d %s %s ", (int)s->scope, s->namespace_ ? s->namespace_ : "",
		   s->name);
	if (!json_write(s->items, &text, e) ||
	    !digest_of(DIGEST_SHA256, bytes_of(text.data, text.len), sum, e))
		return false;
	for (unsigned i = 0; i < 6; i++)
		snprintf(ret + 2 * i, 3, "%02x", sum[i]);
	return true;
}
