// SPDX-License-Identifier: Apache-2.0
// Addresses, paths and URLs of the vault store.
#include "stores/vault_url.h"

#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

// What Go's URL type leaves bare in a path, beside the unreserved letters.
static const char path_letters[] = "$&+,/:;=@";

static bool printable(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return false;
	return str_valid_utf8(s, len);
}

// --- addresses ----------------------------------------------------------------------------

static bool unix_address(const char *text, struct vault_addr *ret, struct err *e)
{
	const char *path = text + strlen("unix://");
	if (path[0] != '/' || !path[1])
		return err_set(e, ERR_CONFIG, 0,
			       "address '%s': a socket is written unix:///path/to/socket",
			       text);
	ret->unix_socket = mem_strdup(path);
	ret->base = mem_strdup("http://localhost");
	return true;
}

bool vault_addr_parse(const char *text, struct vault_addr *ret, struct err *e)
{
	if (!text || !*text)
		text = "https://127.0.0.1:8200";
	if (!printable(text, strlen(text)))
		return err_set(e, ERR_CONFIG, 0, "address: holds a control character");
	if (str_starts(text, "unix://"))
		return unix_address(text, ret, e);
	const char *host = str_starts(text, "https://")  ? text + strlen("https://")
			   : str_starts(text, "http://") ? text + strlen("http://")
							 : NULL;
	if (!host)
		return err_set(
			e, ERR_CONFIG, 0,
			"address '%s': must begin with https://, http:// or unix://",
			text);
	size_t host_len = strcspn(host, "/?#");
	if (memchr(host, '@', host_len))
		return err_set(e, ERR_CONFIG, 0,
			       "address: must not hold a user or password");
	if (host_len == 0 || host[0] == ':' || strpbrk(host, "?# \\"))
		return err_set(e, ERR_CONFIG, 0,
			       "address '%s': wanted is https://HOST[:PORT][/FOLDER]",
			       text);
	size_t len = strlen(text);
	while (text[len - 1] == '/')
		len--;
	ret->base = mem_strndup(text, len);
	return true;
}

void vault_addr_release(struct vault_addr *a)
{
	mem_free(TAKE(a->base));
	mem_free(TAKE(a->unix_socket));
}

// --- paths --------------------------------------------------------------------------------

static bool segments_ok(const char *path, size_t len, struct err *e)
{
	struct str rest = { path, len }, seg;
	while (str_next(&rest, '/', &seg))
		if (seg.len == 0 || str_eq(seg, ".") || str_eq(seg, ".."))
			return err_set(
				e, ERR_CONFIG, 0,
				"path '%.*s': an empty part, '.' or '..' is not allowed",
				(int)len, path);
	return true;
}

// The path itself, decoded, without slashes at its ends.
static bool parse_path(const char *text, size_t len, char **ret, struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(VAULT_PATH_MAX);
	if (len > VAULT_PATH_MAX)
		return err_set(e, ERR_CONFIG, 0, "path: longer than %d bytes",
			       VAULT_PATH_MAX);
	if (!codec_url_unescape(text, len, &b, NULL))
		return err_set(
			e, ERR_CONFIG, 0,
			"path: '%%' must be followed by two hex digits (%%25 is the "
			"sign itself)");
	if (!printable(buf_str(&b), b.len))
		return err_set(e, ERR_CONFIG, 0,
			       "path: holds a control character or is not UTF-8");
	struct str s = { buf_str(&b), b.len };
	while (s.len && s.p[0] == '/')
		s.p++, s.len--;
	while (s.len && s.p[s.len - 1] == '/')
		s.len--;
	if (s.len == 0)
		return err_set(e, ERR_CONFIG, 0, "path: is empty");
	if (!segments_ok(s.p, s.len, e))
		return false;
	*ret = mem_strndup(s.p, s.len);
	return true;
}

static bool query_word(struct str s, struct buf *to, struct err *e)
{
	AUTO_BUF struct buf plain = BUF_INIT(VAULT_PATH_MAX);
	if (!codec_url_unescape(s.p, s.len, &plain, e))
		return err_wrap(e, "behind the '?'");
	if (!codec_url_escape(buf_str(&plain), plain.len, "", to))
		return err_set(e, ERR_LIMIT, 0,
			       "path: the part behind the '?' is too long");
	return true;
}

static bool parse_query(const char *text, char **ret, struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(VAULT_PATH_MAX);
	struct str rest = str_of(text), pair, key;
	while (str_next(&rest, '&', &pair)) {
		if (!str_next(&pair, '=', &key) || key.len == 0)
			return err_set(e, ERR_CONFIG, 0,
				       "path: behind the '?' wanted is name=value, as "
				       "version=3");
		if (b.len)
			buf_putc(&b, '&');
		if (!query_word(key, &b, e))
			return false;
		buf_putc(&b, '=');
		if (!query_word(pair, &b, e))
			return false;
	}
	*ret = buf_take(&b, NULL);
	return true;
}

bool vault_path_parse(const char *text, struct vault_path *ret, struct err *e)
{
	const char *mark = strchr(text, '?');
	size_t len = mark ? (size_t)(mark - text) : strlen(text);
	AUTO_FREE char *path = NULL, *query = NULL;
	if (!parse_path(text, len, &path, e) ||
	    !parse_query(mark ? mark + 1 : "", &query, e))
		return false;
	ret->path = TAKE(path);
	ret->query = TAKE(query);
	return true;
}

void vault_path_release(struct vault_path *p)
{
	mem_free(TAKE(p->path));
	mem_free(TAKE(p->query));
}

// --- KV version 2 -------------------------------------------------------------------------

static size_t mount_len(const char *mount)
{
	size_t len = strlen(mount);
	return len && mount[len - 1] == '/' ? len - 1 : len;
}

bool vault_path_below(const char *path, const char *mount)
{
	size_t len = mount_len(mount);
	return len && strncmp(path, mount, len) == 0 && (!path[len] || path[len] == '/');
}

char *vault_path_kv2(const char *path, const char *mount, const char *part)
{
	size_t len = mount_len(mount);
	if (!vault_path_below(path, mount))
		return mem_strdup(path);
	const char *rest = path + len;
	if (!*rest)
		return mem_printf("%s/%s", path, part);
	rest++;
	if (str_starts(rest, "metadata/") || str_starts(rest, "subkeys/"))
		return mem_strdup(path);
	if (str_starts(rest, "data/")) {
		if (strcmp(part, "data") == 0)
			return mem_strdup(path);
		rest += strlen("data/");
	}
	return mem_printf("%.*s/%s/%s", (int)len, path, part, rest);
}

bool vault_url(const struct vault_addr *a, const char *path, const char *query,
	       struct buf *to, struct err *e)
{
	buf_puts(to, a->base);
	buf_puts(to, "/v1/");
	bool fits = codec_url_escape(path, strlen(path), path_letters, to);
	if (query && *query) {
		buf_putc(to, '?');
		buf_puts(to, query);
	}
	if (!fits || buf_failed(to))
		return err_set(e, ERR_LIMIT, 0, "URL longer than %zu bytes", to->max);
	return true;
}
