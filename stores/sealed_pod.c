// SPDX-License-Identifier: Apache-2.0
// Reads the pod's identity from its service account volume.
#include "stores/sealed_pod.h"

#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

enum { CLAIMS_MAX = 16 * 1024 };

// "system:serviceaccount:NAMESPACE:NAME" of a JWT's payload.
static char *subject_name(const char *token)
{
	static const char prefix[] = "system:serviceaccount:";
	const char *from = strchr(token, '.');
	const char *to = from ? strchr(from + 1, '.') : NULL;
	AUTO_BUF struct buf payload = BUF_INIT(CLAIMS_MAX);
	AUTO_JSON json_t *claims = NULL;
	const char *subject = "";
	if (!to || !codec_b64_decode(from + 1, (size_t)(to - from - 1),
				     B64_URL | B64_NOPAD, &payload, NULL))
		return NULL;
	if (!json_parse(buf_str(&payload), payload.len, CLAIMS_MAX, JSON_PLAIN, &claims,
			NULL))
		return NULL;
	if (!json_get_str(claims, "sub", &subject, NULL) || !str_starts(subject, prefix))
		return NULL;
	const char *name = strchr(subject + strlen(prefix), ':');
	return name ? mem_strdup(name + 1) : NULL;
}

void sealed_pod_read(const char *dir, struct sealed_pod *ret)
{
	*ret = (struct sealed_pod){ 0 };
	AUTO_FREE char *namespace_path = mem_printf("%s/namespace", dir);
	AUTO_FREE char *token_path = mem_printf("%s/token", dir);
	AUTO_WIPE char *token = NULL;
	if (!file_read_token(namespace_path, &ret->namespace_, NULL))
		ret->namespace_ = NULL;
	if (file_read_token(token_path, &token, NULL))
		ret->service_account = subject_name(token);
}

void sealed_pod_release(struct sealed_pod *p)
{
	mem_free(p->namespace_);
	mem_free(p->service_account);
	*p = (struct sealed_pod){ 0 };
}
