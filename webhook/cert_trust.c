// SPDX-License-Identifier: Apache-2.0
// caBundle: read, merge, patch.
#include "webhook/cert_trust.h"

#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/kube/kube.h"

enum { BUNDLE_MAX = 256 * 1024 };

// foreign: CAs of others as PEM text; may be NULL.
static void read_bundle(const json_t *webhook, struct cert_cas *to, bool *ret_others,
			struct buf *foreign)
{
	const json_t *text =
		json_object_get(json_object_get(webhook, "clientConfig"), "caBundle");
	AUTO_BUF struct buf pem = BUF_INIT(BUNDLE_MAX);
	*ret_others = true;
	if (codec_b64_decode(json_string_value(text) ? json_string_value(text) : "",
			     json_string_length(text), B64_STD | B64_NEWLINES, &pem,
			     NULL))
		cert_cas_read(bytes_of(pem.data, pem.len), to, ret_others, foreign);
}

bool cert_trust_has(const json_t *registration, const struct x509 *ca)
{
	size_t i;
	const json_t *webhook;
	bool ok = true, others;
	json_array_foreach(json_object_get(registration, "webhooks"), i, webhook)
	{
		AUTO(cert_cas_release) struct cert_cas have = { .n = 0 };
		read_bundle(webhook, &have, &others, NULL);
		ok &= cert_cas_has(&have, ca);
	}
	return ok;
}

// The bundle as it shall be; NULL: it is.
static json_t *wanted(const json_t *webhook, const struct cert_cas *cas, int64_t now_s)
{
	AUTO(cert_cas_release) struct cert_cas have = { .n = 0 };
	AUTO(cert_cas_release) struct cert_cas want = { .n = 0 };
	AUTO_BUF struct buf pem = BUF_INIT(BUNDLE_MAX);
	AUTO_BUF struct buf text = BUF_INIT(2 * BUNDLE_MAX);
	AUTO_BUF struct buf foreign = BUF_INIT(BUNDLE_MAX);
	bool others, young;
	read_bundle(webhook, &have, &others, &foreign);
	for (size_t i = 0; i < have.n; i++)
		cert_cas_add(&want, have.list[i]);
	cert_cas_drop_ended(&want, now_s);
	for (size_t i = 0; i < cas->n; i++)
		if (cas->list[i]->not_after > now_s)
			cert_cas_add(&want, cas->list[i]);
	// While another one's certificate may still be served (files gave way to ours, and the
	// old replicas live), its CA stays.
	young = cas->n && now_s < cas->list[0]->not_before + CERT_SKEW_S + CERT_KNOWN_S;
	if (!young)
		buf_truncate(&foreign, 0);
	if ((!others || foreign.len) && cert_cas_equal(&have, &want))
		return NULL;
	cert_cas_write(&want, &pem);
	buf_add(&pem, foreign.data, foreign.len);
	codec_b64_encode(pem.data, pem.len, B64_STD, &text);
	return json_string(buf_str(&text));
}

json_t *cert_trust_patch(const json_t *registration, const struct cert_cas *cas,
			 int64_t now_s)
{
	json_t *list = json_array();
	size_t i;
	const json_t *webhook;
	json_array_foreach(json_object_get(registration, "webhooks"), i, webhook)
	{
		json_t *bundle = wanted(webhook, cas, now_s);
		if (bundle)
			json_array_append_new(
				list, json_pack("{s:O, s:{s:o}}", "name",
						json_object_get(webhook, "name"),
						"clientConfig", "caBundle", bundle));
	}
	if (json_array_size(list) == 0) {
		json_decref(list);
		return NULL;
	}
	return json_pack("{s:{s:s}, s:o}", "metadata", "resourceVersion",
			 kube_version(registration), "webhooks", list);
}
