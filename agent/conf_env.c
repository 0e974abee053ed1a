// SPDX-License-Identifier: Apache-2.0
// The configuration in the environment, or in the file that it names.
#include "agent/conf_env.h"

#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/codec.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/crypto/digest.h"

extern char **environ;

enum { CONFIG_MAX = 16 << 20, SUM_LEN = 32 };

static const char *value_of(const char *name)
{
	size_t len = strlen(name);
	for (char **env = environ; *env; env++)
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			return *env + len + 1;
	return NULL;
}

// "PATH#sha256=HEX"
static bool read_file(const char *text, char **ret, struct err *e)
{
	static const char mark[] = "#sha256=";
	const char *at = strstr(text, mark);
	AUTO_FREE char *path = mem_strndup(text, at ? (size_t)(at - text) : strlen(text));
	AUTO_BUF struct buf b = BUF_INIT(CONFIG_MAX);
	AUTO_BUF struct buf hex = BUF_INIT(2 * SUM_LEN);
	unsigned char sum[SUM_LEN];
	if (!at)
		return err_set(e, ERR_CONFIG, 0,
			       "AMPOULE_CONFIG: file:PATH wants #sha256=HEX behind it");
	if (!file_read(path, &b, e) ||
	    !digest_of(DIGEST_SHA256, bytes_of(b.data, b.len), sum, e))
		return err_wrap(e, "AMPOULE_CONFIG");
	codec_hex_encode(sum, sizeof(sum), &hex);
	if (strcmp(buf_str(&hex), at + strlen(mark)) != 0)
		return err_set(e, ERR_DENIED, 0,
			       "AMPOULE_CONFIG: '%.200s' is not what was admitted: its "
			       "SHA-256 is another; make the pod anew",
			       path);
	*ret = buf_take(&b, NULL);
	return true;
}

static const char *whole(void)
{
	static const char *const names[] = { "AMPOULE_CONFIG", "VAULT_CONFIG",
					     "BAO_CONFIG" };
	const char *text = NULL;
	for (size_t i = 0; !text && i < ARRAY_LEN(names); i++)
		text = value_of(names[i]);
	return text;
}

bool conf_env_is_set(void)
{
	return whole();
}

bool conf_env_read(char **ret, struct err *e)
{
	const char *text = whole();
	*ret = NULL;
	if (!text)
		return true;
	if (str_starts(text, "file:"))
		return read_file(text + strlen("file:"), ret, e);
	struct buf b = BUF_INIT(CONFIG_MAX);
	if (codec_b64_decode(text, strlen(text), B64_NEWLINES, &b, NULL)) {
		*ret = buf_take(&b, NULL);
		return true;
	}
	buf_release(&b);
	*ret = mem_strdup(text);
	return true;
}
