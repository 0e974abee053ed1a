// SPDX-License-Identifier: Apache-2.0
// The words of a sealed line: path, version, scope, time, author.
#include "stores/sealed_word.h"

#include <ctype.h>
#include <string.h>

#include "lib/base/codec.h"
#include "stores/sealed_line.h"

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool segment_ok(struct str s, struct err *e)
{
	if (s.len == 0)
		return err_set(e, ERR_CONFIG, 0, "the path has an empty part");
	if (str_eq(s, ".") || str_eq(s, ".."))
		return err_set(e, ERR_CONFIG, 0, "the path has a part '.' or '..'");
	for (size_t i = 0; i < s.len; i++)
		if (!is_alnum(s.p[i]) && !strchr("._-@+=~:", s.p[i]))
			return err_set(
				e, ERR_CONFIG, 0,
				"the path has a letter other than A-Z a-z 0-9 . _ - @ "
				"+ = ~ : and /");
	return true;
}

bool sealed_path_ok(const char *path, struct err *e)
{
	size_t len = strlen(path);
	if (len == 0 || len > SEALED_PATH_MAX)
		return err_set(e, ERR_CONFIG, 0,
			       "a path of %zu bytes; 1 to %d are allowed", len,
			       SEALED_PATH_MAX);
	if (path[len - 1] == '/')
		return err_set(e, ERR_CONFIG, 0, "the path ends with a slash");
	struct str rest = str_of(path), part;
	while (str_next(&rest, '/', &part))
		if (!segment_ok(part, e))
			return false;
	return true;
}

// A DNS label, or a name of labels with dots when they are allowed.
static bool name_ok(struct str s, size_t max, bool dots)
{
	if (s.len == 0 || s.len > max || !isalnum((unsigned char)s.p[0]) ||
	    !isalnum((unsigned char)s.p[s.len - 1]))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
			  (dots && c == '.');
		if (!ok)
			return false;
	}
	return true;
}

bool sealed_scope_ok(const char *scope, struct err *e)
{
	if (strcmp(scope, "*") == 0)
		return true;
	const char *slash = strchr(scope, '/');
	struct str ns = { scope, slash ? (size_t)(slash - scope) : strlen(scope) };
	if (!name_ok(ns, 63, false))
		return err_set(
			e, ERR_CONFIG, 0,
			"the scope is none of '*', NAMESPACE, NAMESPACE/SERVICE-ACCOUNT "
			"(names as Kubernetes has them)");
	return !slash || name_ok(str_of(slash + 1), 253, true) ||
	       err_set(e, ERR_CONFIG, 0,
		       "the scope's service account is no Kubernetes name");
}

bool sealed_version_read(struct str word, uint64_t *ret, struct err *e)
{
	uint64_t v = 0;
	bool ok = word.len > 0 && word.len <= 16 && word.p[0] != '0';
	for (size_t i = 0; ok && i < word.len; i++) {
		ok = word.p[i] >= '0' && word.p[i] <= '9';
		v = v * 10 + (uint64_t)(word.p[i] - '0');
	}
	if (!ok || v > SEALED_VERSION_MAX)
		return err_set(e, ERR_CONFIG, 0,
			       "the version is no number from 1 to 10^15");
	*ret = v;
	return true;
}

bool sealed_time_ok(struct str word, struct err *e)
{
	static const char form[] = "0000-00-00T00:00:00Z";
	bool ok = word.len == SEALED_TIME_LEN;
	for (size_t i = 0; ok && i < word.len; i++)
		ok = form[i] == '0' ? word.p[i] >= '0' && word.p[i] <= '9'
				    : word.p[i] == form[i];
	return ok || err_set(e, ERR_CONFIG, 0, "the time is not of the form %s", form);
}

bool sealed_author_ok(struct str word, struct err *e)
{
	bool ok = word.len > 0 && word.len <= SEALED_AUTHOR_MAX;
	for (size_t i = 0; ok && i < word.len; i++)
		ok = is_alnum(word.p[i]) || (word.p[i] && strchr("._-~@+%", word.p[i]));
	return ok || err_set(e, ERR_CONFIG, 0,
			     "the author or name is not 1 to %d percent-encoded letters",
			     SEALED_AUTHOR_MAX);
}

void sealed_author_show(const char *author, struct buf *to)
{
	size_t start = to->len;
	struct err e = ERR_INIT;
	if (!codec_url_unescape(author, strlen(author), to, &e) ||
	    !str_valid_utf8(buf_str(to) + start, to->len - start)) {
		buf_truncate(to, start);
		buf_puts(to, author);
	}
	for (size_t i = start; i < to->len; i++)
		if ((unsigned char)to->data[i] < ' ' || to->data[i] == 0x7f)
			to->data[i] = '?';
}

void sealed_author_escape(const char *text, struct buf *to)
{
	size_t start = to->len;
	for (size_t i = 0; text[i]; i++) {
		size_t before = to->len;
		codec_url_escape(text + i, 1, "@+", to);
		if (to->len - start > SEALED_AUTHOR_MAX) {
			buf_truncate(to, before);
			return;
		}
	}
}
