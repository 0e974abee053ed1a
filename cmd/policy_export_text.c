// SPDX-License-Identifier: Apache-2.0
// Texts, globs and selectors in CEL.
#include <string.h>

#include "cmd/policy_export_cel.h"
#include "lib/base/str.h"
#include "lib/conf/path_rule.h"

enum { TEXT_MAX = 256 * 1024 };

static const char *take(struct pool *pool, struct buf *b)
{
	return pool_strdup(pool, buf_str(b));
}

const char *cel_quote(struct pool *pool, const char *text)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	buf_putc(&b, '\'');
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ')
			buf_printf(&b, "\\x%02x", (unsigned)*c);
		else
			buf_printf(&b, "%s%c", strchr("'\\", *c) ? "\\" : "", *c);
	}
	buf_putc(&b, '\'');
	return take(pool, &b);
}

const char *cel_list(struct pool *pool, const char *const *list, size_t n)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s", i ? ", " : "[", cel_quote(pool, list[i]));
	buf_puts(&b, n ? "]" : "[]");
	return take(pool, &b);
}

// --- globs

static void put_class(struct buf *to, const char *separators)
{
	if (*separators)
		buf_printf(to, "[^%s]", separators);
	else
		buf_putc(to, '.');
}

// `slash` takes the place of each '/'; NULL: it stays.
static void put_glob(struct buf *to, const char *glob, const char *separators,
		     const char *slash)
{
	for (const char *c = glob; *c; c++) {
		if (strcmp(c, "/**") == 0) {
			buf_puts(to, "(?:/.*)?");
			return;
		}
		if (c[0] == '*' && c[1] == '*') {
			buf_puts(to, ".*");
			c++;
		} else if (*c == '*' || *c == '?') {
			put_class(to, separators);
			buf_puts(to, *c == '*' ? "*" : "");
		} else if (*c == '/' && slash) {
			buf_puts(to, slash);
		} else {
			buf_printf(to, "%s%c", strchr("\\.+()|[]{}^$", *c) ? "\\" : "",
				   *c);
		}
	}
}

const char *cel_glob(struct pool *pool, const char *glob, const char *separators)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	put_glob(&b, glob, separators, NULL);
	return take(pool, &b);
}

const char *cel_matches(struct pool *pool, const char *text, const struct patterns *p,
			const char *separators)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	if (p->n == 0)
		return "false";
	buf_puts(&b, "^(?s:");
	for (size_t i = 0; i < p->n; i++) {
		buf_puts(&b, i ? "|" : "");
		put_glob(&b, p->list[i], separators, NULL);
	}
	buf_puts(&b, ")$");
	return pool_printf(pool, "%s.matches(%s)", text, cel_quote(pool, buf_str(&b)));
}

// --- paths

// The pattern without each part that "data" would meet: a store of KV's second version reads the
// same secret by a path without it.
static void put_path_forms(struct pool *pool, struct buf *to, const char *path,
			   const char *slash)
{
	put_glob(to, path, "/", slash);
	for (const char *at = strchr(path, '/'); at; at = strchr(at + 1, '/')) {
		size_t len = strcspn(at + 1, "/");
		const char *part = pool_strndup(pool, at + 1, len);
		if (at[1 + len] != '/' || strstr(part, "**") ||
		    !path_rule_glob(part, "data", "/"))
			continue;
		buf_putc(to, '|');
		put_glob(
			to,
			pool_printf(pool, "%.*s%s", (int)(at - path), path, at + 1 + len),
			"/", slash);
	}
}

// A path whose store nobody has named counts as one of any allowed store, and of 'vault'.
static void put_store(struct pool *pool, struct buf *to, const char *store, bool deny)
{
	const char *glob = cel_glob(pool, store, "");
	if (!*store)
		buf_puts(to, "[^:]*");
	else
		buf_printf(to, "(?:%s)%s", glob,
			   !deny || path_rule_glob(store, "vault", "") ? "?" : "");
}

const char *cel_matches_path(struct pool *pool, const char *text,
			     const struct patterns *p, bool deny)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	if (p->n == 0)
		return "false";
	buf_puts(&b, "^(?s:");
	for (size_t i = 0; i < p->n; i++) {
		size_t len;
		const char *path = path_rule_split(p->list[i], &len);
		buf_puts(&b, i ? "|" : "");
		put_store(pool, &b, pool_strndup(pool, p->list[i], len), deny);
		buf_puts(&b, ":/*(?:");
		put_path_forms(pool, &b, path,
			       deny ? "/(?:(?:data|metadata|subkeys)/)?" : "/(?:data/)?");
		if (deny)
			buf_printf(&b,
				   "|arn:.*:(?:secret:|parameter/)(?:%s)(?:-[^-/]{6})?",
				   cel_glob(pool, path, "/"));
		buf_puts(&b, ")/*");
	}
	buf_puts(&b, ")$");
	return pool_printf(pool, "%s.matches(%s)", text, cel_quote(pool, buf_str(&b)));
}

// --- selectors

static void and (struct buf * to, const char *expression)
{
	buf_printf(to, "%s%s", to->len ? " && " : "", expression);
}

static void put_labels(struct pool *pool, struct buf *to, const char *map,
		       const struct label_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *key = cel_quote(pool, rules[i].key);
		struct patterns one = { (const char **)&rules[i].pattern, 1, true };
		const char *value = pool_printf(pool, "%s[%s]", map, key);
		and(to, pool_printf(pool, "%s in %s && %s", key, map,
				    cel_matches(pool, value, &one, "")));
	}
}

// "name", or "namespace/name".
static void put_accounts(struct pool *pool, struct buf *to, const struct patterns *p)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	for (size_t i = 0; i < p->n; i++) {
		struct patterns one = { p->list + i, 1, true };
		const char *text = strchr(p->list[i], '/') ? "(request.namespace + '/' + "
							     "variables.account)"
							   : "variables.account";
		buf_printf(&b, "%s%s", i ? " || " : "",
			   cel_matches(pool, text, &one, "/"));
	}
	and(to, pool_printf(pool, "(%s)", p->n ? buf_str(&b) : "false"));
}

const char *cel_selector(struct pool *pool, const struct selector *s, bool believed)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	if (s->namespaces.given)
		and(&b, cel_matches(pool, "request.namespace", &s->namespaces, ""));
	if (s->service_accounts.given)
		put_accounts(pool, &b, &s->service_accounts);
	if (s->kinds.given)
		and(&b, pool_printf(pool, "variables.%s.exists(k, %s)",
				    believed ? "kinds" : "true_kinds",
				    cel_matches(pool, "k", &s->kinds, "")));
	put_labels(pool, &b, "variables.labels", s->labels, s->n_labels);
	put_labels(pool, &b, "variables.namespace_labels", s->namespace_labels,
		   s->n_namespace_labels);
	return b.len ? take(pool, &b) : "true";
}
