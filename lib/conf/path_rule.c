// SPDX-License-Identifier: Apache-2.0
// Patterns of policies.
#include "lib/conf/path_rule.h"

#include <string.h>

#include "lib/base/str.h"

// Where the last star of a kind was met.
struct back {
	const char *pattern, *s;
};

static bool is_in(char c, const char *letters)
{
	return c && strchr(letters, c);
}

bool path_rule_glob(const char *pattern, const char *s, const char *separators)
{
	struct back one = { NULL, NULL }, all = { NULL, NULL };
	for (;;) {
		if (pattern[0] == '*' && pattern[1] == '*') {
			pattern += 2;
			all = (struct back){ pattern, s };
			one.pattern = NULL;
		} else if (*pattern == '*') {
			one = (struct back){ ++pattern, s };
		} else if (!*s && (!*pattern || strcmp(pattern, "/**") == 0)) {
			return true;
		} else if (*s && (*pattern == *s ||
				  (*pattern == '?' && !is_in(*s, separators)))) {
			pattern++;
			s++;
		} else if (one.pattern && *one.s && !is_in(*one.s, separators)) {
			pattern = one.pattern;
			s = ++one.s;
		} else if (all.pattern && *all.s) {
			one.pattern = NULL;
			pattern = all.pattern;
			s = ++all.s;
		} else {
			return false;
		}
	}
}

static bool is_store_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '*' || c == '?';
}

const char *path_rule_split(const char *text, size_t *ret_len)
{
	size_t len = 0;
	while (is_store_letter(text[len]))
		len++;
	*ret_len = text[len] == ':' ? len : 0;
	return *ret_len ? text + len + 1 : text;
}

static bool is_plain_part(struct str part)
{
	return part.len > 0 && !str_eq(part, ".") && !str_eq(part, "..");
}

bool path_rule_plain(const char *path, char *to)
{
	size_t len = strcspn(path, "?#");
	while (len > 0 && *path == '/')
		path++, len--;
	while (len > 0 && path[len - 1] == '/')
		len--;
	if (len == 0 || len >= PATH_RULE_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)path[i] <= ' ' || path[i] == 0x7f || path[i] == '%' ||
		    path[i] == '\\')
			return false;
	struct str rest = { path, len }, part;
	while (str_next(&rest, '/', &part))
		if (!is_plain_part(part))
			return false;
	memcpy(to, path, len);
	to[len] = '\0';
	return true;
}

// The part behind a mount that version 2 of a KV engine adds, or NULL: its slash.
static const char *kv_part(const char *path, size_t *ret_len)
{
	static const char *const names[] = { "/data/", "/metadata/", "/subkeys/" };
	const char *first = NULL;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *at = strstr(path, names[i]);
		if (at && (!first || at < first)) {
			first = at;
			*ret_len = strlen(names[i]) - 1;
		}
	}
	return first;
}

// The path with "/data" at any of its slashes: only the store knows where its mount ends.
static bool with_data(const char *pattern, const char *path)
{
	char form[PATH_RULE_MAX + 8];
	for (const char *slash = strchr(path, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - path);
		memcpy(form, path, len);
		memcpy(form + len, "/data", 5);
		memcpy(form + len + 5, slash, strlen(slash) + 1);
		if (path_rule_glob(pattern, form, "/"))
			return true;
	}
	return false;
}

// The name behind "arn:aws:secretsmanager:REGION:ACCOUNT:secret:", without its random end.
static bool arn_name(const char *pattern, const char *path)
{
	char form[PATH_RULE_MAX];
	const char *name = strstr(path, ":secret:"), *tail;
	if (!str_starts(path, "arn:"))
		return false;
	name = name ? name + 8 : strstr(path, ":parameter/");
	name = name && str_starts(name, ":parameter/") ? name + 11 : name;
	if (!name || path_rule_glob(pattern, name, "/"))
		return name != NULL;
	tail = strrchr(name, '-');
	if (!tail || strlen(tail) != 7)
		return false;
	memcpy(form, name, (size_t)(tail - name));
	form[tail - name] = '\0';
	return path_rule_glob(pattern, form, "/");
}

// The part behind a slash, but for those that forms differ in; "" at the end.
static const char *next_part(const char *s, size_t *ret_len)
{
	while (*s == '/') {
		size_t len = strcspn(++s, "/");
		*ret_len = len;
		if (!(len == 4 && memcmp(s, "data", len) == 0) &&
		    !(len == 8 && memcmp(s, "metadata", len) == 0) &&
		    !(len == 7 && memcmp(s, "subkeys", len) == 0))
			return s;
		s += len;
	}
	*ret_len = 0;
	return s;
}

// "data", "metadata" or "subkeys", perhaps; or the end.
static bool begins_form(char c)
{
	return c == 'd' || c == 'm' || c == 's' || c == '\0';
}

// Whether the first parts that differ, before any star, can never be made equal: no form adds
// or takes others than "data", "metadata" and "subkeys". Most patterns end here.
static bool differs(const char *pattern, const char *path)
{
	size_t i = 0;
	while (pattern[i] == path[i] && pattern[i] && pattern[i] != '*')
		i++;
	size_t part = i;
	while (part > 0 && pattern[part - 1] != '/')
		part--;
	return pattern[i] && path[i] && pattern[i] != '*' && pattern[i] != '?' &&
	       !begins_form(pattern[part]) && !begins_form(path[part]);
}

// Whether the parts before the first star, which no form changes, can match at all: the forms
// need not be written then.
static bool may_match(const char *pattern, const char *path)
{
	if (*path == 'a' && str_starts(path, "arn:"))
		return true;
	if (differs(pattern, path))
		return false;
	size_t a = strcspn(pattern, "/"), b = strcspn(path, "/");
	while (!memchr(pattern, '*', a) && !memchr(pattern, '?', a)) {
		if (a != b || memcmp(pattern, path, a) != 0)
			return false;
		if (!*pattern && !*path)
			return true;
		pattern = next_part(pattern + a, &a);
		path = next_part(path + b, &b);
	}
	return true;
}

static bool covers(const char *pattern, const char *path, bool deny)
{
	char form[PATH_RULE_MAX];
	size_t len = 0;
	if (!may_match(pattern, path))
		return false;
	if (path_rule_glob(pattern, path, "/"))
		return true;
	const char *part = kv_part(path, &len);
	if (!part)
		return with_data(pattern, path) || (deny && arn_name(pattern, path));
	if (!deny && len != strlen("/data"))
		return false;
	memcpy(form, path, (size_t)(part - path));
	memcpy(form + (part - path), part + len, strlen(part + len) + 1);
	return path_rule_glob(pattern, form, "/") || (deny && with_data(pattern, form));
}

static bool rule(const char *pattern, const char *store, const char *path, bool deny)
{
	char name[128];
	size_t len = 0;
	while (store[len] && pattern[len] == store[len])
		len++;
	if (!store[len] && len > 0 && pattern[len] == ':') // the commonest
		return covers(pattern + len + 1, path, deny);
	const char *rest = path_rule_split(pattern, &len);
	if (len >= sizeof(name))
		return deny;
	memcpy(name, pattern, len);
	name[len] = '\0';
	return (len == 0 || path_rule_glob(name, store, "")) && covers(rest, path, deny);
}

bool path_rule_denies(const char *pattern, const char *store, const char *path)
{
	return rule(pattern, store, path, true);
}

bool path_rule_allows(const char *pattern, const char *store, const char *path)
{
	return rule(pattern, store, path, false);
}
