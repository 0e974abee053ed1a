// SPDX-License-Identifier: Apache-2.0
// A configuration that no environment can hold goes into an annotation of the pod, which the
// downward API shows to the agent as a file. Annotations can be changed later, by whoever may
// change pods: the environment, which cannot, holds the SHA-256 that the file must have.
#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/crypto/digest.h"
#include "webhook/notes.h"
#include "webhook/plan.h"

enum {
	// In base64, with its name, one string of the environment: below 128 KiB.
	ENV_MAX = 95 * 1024,
	ANNOTATIONS_MAX = 256 * 1024, // of all annotations; the API server's own limit
	SUM_LEN = 32,
};

#define FILE_NAME "agent.json"

bool plan_is_long(const struct plan *p)
{
	return p->config_len > ENV_MAX;
}

static size_t annotations_size(const struct plan *p)
{
	size_t size = strlen(LONG_CONFIG) + p->config_len;
	const char *key;
	json_t *value;
	json_object_foreach(json_object_get(p->metadata, "annotations"), key, value)
	{
		if (strcmp(key, LONG_CONFIG) != 0)
			size += strlen(key) + json_string_length(value);
	}
	return size;
}

bool plan_fits(const struct plan *p, struct err *e)
{
	if (!plan_is_long(p)) {
		const struct asked_entry *own = asked_find(&p->asked, "config", NULL);
		if (own)
			notes_add(p->warnings,
				  "annotation %s has no effect: the webhook writes it "
				  "when it is needed",
				  own->key);
		return true;
	}
	return annotations_size(p) <= ANNOTATIONS_MAX ||
	       err_set(e, ERR_LIMIT, 0,
		       "the agent's configuration has %zu KiB, and with it the pod's "
		       "annotations would be over %d KiB; put long templates into files "
		       "and name them by template-file-<n>",
		       p->config_len / 1024, ANNOTATIONS_MAX / 1024);
}

bool plan_long_value(const struct plan *p, struct buf *to, struct err *e)
{
	unsigned char sum[SUM_LEN];
	if (!digest_of(DIGEST_SHA256, bytes_of(p->config, p->config_len), sum, e))
		return false;
	buf_puts(to, "file:" LONG_CONFIG_MOUNT "/" FILE_NAME "#sha256=");
	codec_hex_encode(sum, sizeof(sum), to);
	return true;
}

json_t *plan_long_volume(void)
{
	return json_pack("{s:s, s:{s:[{s:s, s:{s:s, s:s}}]}}", "name", LONG_CONFIG_VOLUME,
			 "downwardAPI", "items", "path", FILE_NAME, "fieldRef",
			 "apiVersion", "v1", "fieldPath",
			 "metadata.annotations['" LONG_CONFIG "']");
}
