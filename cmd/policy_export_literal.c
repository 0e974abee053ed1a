// SPDX-License-Identifier: Apache-2.0
// Values of the environment that look like a credential, in CEL: rules 1 to 3 of
// webhook/policy_literal.c, from its own tables. CEL knows no entropy and undoes no encoding.
#include <string.h>

#include "cmd/policy_export_cel.h"
#include "lib/base/str.h"

enum { TEXT_MAX = 64 * 1024 };

// Words as alternatives of a regular expression.
static const char *alternatives(struct cel *c, enum literal_table table)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	size_t n;
	const char *const *list = literal_words(table, &n);
	for (size_t i = 0; i < n; i++) {
		buf_puts(&b, i ? "|" : "");
		for (const char *p = list[i]; *p; p++)
			buf_printf(&b, "%s%c", strchr("\\.+*?()|[]{}^$", *p) ? "\\" : "",
				   *p);
	}
	return pool_strdup(&c->pool, buf_str(&b));
}

static const char *words(struct cel *c, enum literal_table table)
{
	size_t n;
	const char *const *list = literal_words(table, &n);
	return cel_list(&c->pool, list, n);
}

// 1: the form of a known token, whatever the name.
static const char *tokens(struct cel *c)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	const char *prefix;
	unsigned least;
	buf_puts(&b, "-----BEGIN [^-]*PRIVATE KEY-----|AccountKey=|SharedAccessKey=|"
		     "(?:^|[^A-Za-z0-9])(?:");
	for (size_t i = 0; (prefix = literal_token(i, &least)); i++) {
		buf_printf(&b, "%s%s[A-Za-z0-9_.=+/-]{%u}", i ? "|" : "",
			   cel_glob(&c->pool, prefix, ""), least);
	}
	buf_puts(&b, ")");
	return pool_printf(&c->pool,
			   "e.value.matches('[A-Za-z0-9_-]{16}|-----BEGIN |AccountKey=|"
			   "SharedAccessKey=') && e.value.matches(%s)",
			   cel_quote(&c->pool, buf_str(&b)));
}

// 2: a password in a URL, or in a connection string.
static const char *inside(struct cel *c)
{
	const char *none = pool_printf(&c->pool, "(?s:(?:%s).*)|(?i:%s)|[*xX.-]*",
				       alternatives(c, LITERAL_REFERENCES),
				       alternatives(c, LITERAL_PLAIN));
	const char *assigned =
		pool_printf(&c->pool, "(?i)(?:^|[^a-z0-9])(?:%s)[^&;, \\t\\n'\"]{3,}",
			    alternatives(c, LITERAL_ASSIGNED));
	const char *not_it = cel_quote(&c->pool, pool_printf(&c->pool, "^(?:%s)$", none));
	return pool_printf(
		&c->pool,
		"(e.value.contains('://') && e.value.find('://[^/ ?#@:]*:[^@/ "
		"?#]{3,}@') != '' && ![e.value.find('://[^/ ?#@:]*:[^@/ ?#]{3,}@')]"
		".map(p, p.substring(3)).map(p, p.substring(p.indexOf(':') + 1, p.size() "
		"- "
		"1)).exists(p, p.matches(%s))) || (e.value.contains('=') && "
		"e.value.findAll(%s).map(p, p.substring(p.indexOf('=') + 1)).exists(p, "
		"!p.matches(%s)))",
		not_it, cel_quote(&c->pool, assigned), not_it);
}

// 3: a name that says so, with a value that is nothing else.
static const char *by_name(struct cel *c)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	const char *const *pair;
	buf_puts(&b, " (?:");
	for (size_t i = 0; (pair = literal_pair(i)); i++)
		buf_printf(&b, "%s%s %s", i ? "|" : "", pair[0], pair[1]);
	buf_puts(&b, ") ");
	const char *value = pool_printf(
		&c->pool,
		"^\\s*(?:(?s:(?:%s).*)|(?i:%s)|[*xX.-]*|[0-9.]{1,5}[smhdwkKMGi]{0,2}|"
		"(?:/|\\./|\\.\\./|~/)[^ =:@]*|(?s:.{0,3})|(?s:.*://.*))\\s*$",
		alternatives(c, LITERAL_REFERENCES), alternatives(c, LITERAL_PLAIN));
	return pool_printf(
		&c->pool,
		"e.name.matches(%s) && "
		"[e.name.findAll('(?:[a-z]*[0-9]|[A-Z])*[a-z]*').filter(w, w != '')"
		".map(w, w.upperAscii())].exists(w, w.size() > 0 && !(w[w.size() - 1] in "
		"%s) && (w.exists(x, x in %s) || (' ' + w.join(' ') + ' ').matches(%s)) "
		"&& "
		"!w.exists(x, x in %s)) && !e.value.matches(%s)",
		cel_quote(&c->pool, pool_printf(&c->pool, "(?i)%s|KEY",
						alternatives(c, LITERAL_STRONG))),
		words(c, LITERAL_ABOUT), words(c, LITERAL_STRONG),
		cel_quote(&c->pool, buf_str(&b)), words(c, LITERAL_PUBLIC),
		cel_quote(&c->pool, value));
}

// Each is a variable of its own, since the API server limits what one may cost. What is cheap is
// asked first, so that an environment of thousands of variables costs little.
static const char *values_where(struct cel *c, const char *condition)
{
	return cel_env_where(c, "env", "e.name",
			     pool_printf(&c->pool,
					 "e.?value.orValue('').size() > 3 && "
					 "e.value.size() < 4096 && (%s)",
					 condition));
}

const char *cel_literal_tokens(struct cel *c)
{
	return values_where(c, tokens(c));
}

const char *cel_literal_inside(struct cel *c)
{
	return values_where(c, inside(c));
}

const char *cel_literal_names(struct cel *c)
{
	return values_where(c, by_name(c));
}

const char *cel_env_literals(struct cel *c)
{
	(void)c;
	return "variables.literal_tokens + variables.literal_inside + "
	       "variables.literal_names";
}
