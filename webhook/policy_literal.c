// SPDX-License-Identifier: Apache-2.0
// Does NAME=VALUE look like a credential? The rule, exactly; test/cases/literals holds the corpus
// it is measured on:
//
//  1. A value with the form of a known token, whatever its name: the table below, a JSON web
//     token, a PEM private key. Also behind base64 or percent escapes.
//  2. A URL with a password ("scheme://user:password@host"), or "password=…" and its like
//     inside of a connection string.
//  3. A name that says so (a word of it is PASSWORD, SECRET, TOKEN, APIKEY, …, and its last
//     word does not turn it into something about the credential, as _FILE, _TTL or _NAME do)
//     with a value that is no reference, placeholder, path, plain URL, switch or small number.
//  4. A name that hints at it (KEY, AUTH, SALT, …) with a value that looks random.
//
// References are never credentials: ${X}, $(X), {{…}}, <…>, vault:…, arn:…, secret://….
#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "lib/base/codec.h"
#include "lib/base/str.h"
#include "webhook/policy_int.h"

enum { VALUE_MAX = 16 * 1024, WORDS = 32 };

// --- 1: forms of tokens

// `prefix`, then at least `least` letters of base64url and '.' or '='.
static const struct {
	const char *prefix;
	unsigned least;
	const char *what;
} tokens[] = {
	{ "AKIA", 16, "an AWS access key" },
	{ "ASIA", 16, "an AWS access key" },
	{ "ghp_", 30, "a GitHub token" },
	{ "gho_", 30, "a GitHub token" },
	{ "ghu_", 30, "a GitHub token" },
	{ "ghs_", 30, "a GitHub token" },
	{ "github_pat_", 30, "a GitHub token" },
	{ "glpat-", 18, "a GitLab token" },
	{ "gldt-", 18, "a GitLab token" },
	{ "xoxb-", 20, "a Slack token" },
	{ "xoxp-", 20, "a Slack token" },
	{ "xoxa-", 20, "a Slack token" },
	{ "xapp-", 20, "a Slack token" },
	{ "sk_live_", 16, "a payment key" },
	{ "rk_live_", 16, "a payment key" },
	{ "sk_test_", 16, "a payment key" },
	{ "whsec_", 16, "a webhook secret" },
	{ "sk-", 32, "an API key" },
	{ "AIza", 30, "a Google API key" },
	{ "ya29.", 20, "a Google token" },
	{ "hvs.", 20, "a Vault token" },
	{ "hvb.", 20, "a Vault token" },
	{ "npm_", 30, "an npm token" },
	{ "pypi-", 30, "a PyPI token" },
	{ "dckr_pat_", 20, "a registry token" },
	{ "SG.", 40, "a mail service key" },
	{ "hf_", 30, "a model hub token" },
	{ "dop_v1_", 40, "a cloud token" },
	{ "shpat_", 30, "a shop token" },
	{ "NRAK-", 20, "a monitoring key" },
	{ "AGE-SECRET-KEY-", 40, "a private key" },
	{ "ATATT3", 40, "an Atlassian token" },
	{ "eyJhbGciOi", 40, "a JSON web token" },
	{ "eyJ0eXAiOi", 40, "a JSON web token" },
	{ "eyJraWQiOi", 40, "a JSON web token" },
};

static bool is_token_letter(char c)
{
	return isalnum((unsigned char)c) || strchr("_-.=+/", c);
}

static const char *known_form(const char *v)
{
	const char *pem = strstr(v, "-----BEGIN ");
	if (pem && strstr(pem, "PRIVATE KEY-----"))
		return "a private key";
	if (strstr(v, "AccountKey=") || strstr(v, "SharedAccessKey="))
		return "a cloud storage key";
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		size_t len = strlen(tokens[i].prefix);
		for (const char *at = v; (at = strstr(at, tokens[i].prefix)); at += len) {
			unsigned n = 0;
			if (at > v && isalnum((unsigned char)at[-1]))
				continue;
			while (n < tokens[i].least && at[len + n] &&
			       is_token_letter(at[len + n]))
				n++;
			if (n >= tokens[i].least)
				return tokens[i].what;
		}
	}
	return NULL;
}

// --- references and placeholders

static const char *const references[] = { "$(",     "${",     "{{",         "<",
					  "vault:", "arn:",   "secret://",  "ref+",
					  "bao:",   "sm://",  "secretref:", "op://",
					  "aws:",   "azure:", "gcp:",       "file:",
					  "env:",   "kms:",   "ssm:",       "%(" };

static bool is_reference(const char *v)
{
	for (size_t i = 0; i < ARRAY_LEN(references); i++)
		if (str_starts(v, references[i]))
			return true;
	return false;
}

static const char *const plain_words[] = {
	"true",     "false",    "yes",       "no",         "on",       "off",
	"none",     "null",     "nil",       "default",    "disabled", "enabled",
	"required", "optional", "basic",     "bearer",     "jwt",      "oauth2",
	"oauth",    "oidc",     "plain",     "scram",      "token",    "password",
	"secret",   "mtls",     "anonymous", "kubernetes", "iam",      "redacted",
	"md5",      "never",    "always",    "auto",       "cookie",   "header",
	"session",  "opaque",   "memory",    "redis",      "vault",    "unset",
};

static bool is_word(const char *v)
{
	for (size_t i = 0; i < ARRAY_LEN(plain_words); i++)
		if (strcasecmp(plain_words[i], v) == 0)
			return true;
	size_t same = strspn(v, "*xX.-");
	return v[same] == '\0'; // "", "****", "xxxx"
}

static bool is_small_number(const char *v)
{
	size_t digits = strspn(v, "0123456789.");
	size_t unit = strspn(v + digits, "smhdwkKMGi");
	return digits > 0 && digits <= 5 && unit <= 2 && v[digits + unit] == '\0';
}

static bool is_path(const char *v)
{
	return (*v == '/' || str_starts(v, "./") || str_starts(v, "../") ||
		str_starts(v, "~/")) &&
	       !strpbrk(v, " =:@");
}

// --- 2: passwords inside of URLs and connection strings

// The password of a piece "p…" that ends at one of `ends`.
static bool is_password(const char *p, const char *ends)
{
	char text[256];
	size_t len = strcspn(p, ends);
	if (len < 3 || len >= sizeof(text))
		return len >= sizeof(text);
	memcpy(text, p, len);
	text[len] = '\0';
	return !is_reference(text) && !is_word(text);
}

static bool has_url_password(const char *v)
{
	const char *at = strstr(v, "://");
	if (!at)
		return false;
	const char *user = at + 3, *end = user + strcspn(user, "/ ?#");
	const char *sign = NULL, *colon = NULL;
	for (const char *c = user; c < end; c++) {
		if (*c == '@')
			sign = c;
		if (*c == ':' && !colon)
			colon = c;
	}
	return sign && colon && colon < sign && is_password(colon + 1, "@");
}

static const char *const assigned[] = { "password=",     "passwd=",    "pwd=",
					"secret=",       "apikey=",    "api_key=",
					"access_token=", "auth_token=" };

static bool has_assigned_password(const char *v)
{
	for (size_t i = 0; i < ARRAY_LEN(assigned); i++)
		for (const char *at = v; (at = strcasestr(at, assigned[i])); at++)
			if ((at == v || !isalnum((unsigned char)at[-1])) &&
			    is_password(at + strlen(assigned[i]), "&;, \t\n'\""))
				return true;
	return false;
}

// --- 3 and 4: names

// Upper case words of a name: DB_PASSWORD, dbPassword, db.password.
struct words {
	char text[256];
	const char *list[WORDS];
	size_t n;
};

static void split(const char *name, struct words *w)
{
	size_t len = 0;
	bool open = false;
	w->n = 0;
	for (const char *c = name; *c && len + 2 < sizeof(w->text); c++) {
		bool letter = isalnum((unsigned char)*c);
		bool hump = c > name && isupper((unsigned char)*c) &&
			    islower((unsigned char)c[-1]);
		if (open && (!letter || hump)) {
			w->text[len++] = '\0';
			open = false;
		}
		if (!letter)
			continue;
		if (!open && w->n < WORDS)
			w->list[w->n++] = w->text + len;
		open = true;
		w->text[len++] = (char)toupper((unsigned char)*c);
	}
	w->text[len] = '\0';
}

static bool among(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

// Whether two words stand beside each other.
static bool has_pair(const struct words *w, const char *one, const char *two)
{
	for (size_t i = 0; i + 1 < w->n; i++)
		if (strcmp(w->list[i], one) == 0 && strcmp(w->list[i + 1], two) == 0)
			return true;
	return false;
}

static const char *const about[] = {
	"FILE",      "PATH",       "DIR",       "NAME",      "NAMES",    "URL",
	"URI",       "ENDPOINT",   "HOST",      "PORT",      "TTL",      "EXPIRY",
	"EXPIRES",   "EXPIRATION", "LENGTH",    "SIZE",      "COUNT",    "LIMIT",
	"LIMITS",    "ENABLED",    "DISABLED",  "REQUIRED",  "POLICY",   "TYPE",
	"ALGORITHM", "ALG",        "ISSUER",    "AUDIENCE",  "HEADER",   "ID",
	"IDS",       "REF",        "VERSION",   "REGION",    "PREFIX",   "SUFFIX",
	"STORE",     "PROVIDER",   "BACKEND",   "MODE",      "INTERVAL", "TIMEOUT",
	"ROUNDS",    "LIFETIME",   "DURATION",  "AGE",       "FORMAT",   "METHOD",
	"SCOPE",     "SCOPES",     "FIELD",     "FIELDS",    "KIND",     "LOCATION",
	"FOLDER",    "MOUNT",      "NAMESPACE", "ROTATION",  "REFRESH",  "SERVICE",
	"MANAGER",   "SOURCE",     "CLASS",     "ATTEMPTS",  "RETRIES",  "HINT",
	"REGEX",     "PATTERN",    "MIN",       "MAX",       "ROLE",     "PER",
	"SECONDS",   "MINUTES",    "HOURS",     "DAYS",      "MS",       "CLAIM",
	"COOKIE",    "VALIDATION", "CHECK",     "URLS",      "PERCENT",  "RATIO",
	"STRATEGY",  "DRIVER",     "ENGINE",    "ENDPOINTS", "ENCODING", "USERNAME",
	"USER",      "LABEL",      "PROPERTY",  "PARAMETER", "VAR",      "ENV",
};

// A last word that makes the name one about a credential.
static bool is_about(const struct words *w)
{
	return w->n > 0 && among(w->list[w->n - 1], about, ARRAY_LEN(about));
}

static const char *const strong[] = {
	"PASSWORD",  "PASSWD",     "PASSPHRASE",  "SECRET", "TOKEN",
	"APIKEY",    "CREDENTIAL", "CREDENTIALS", "PWD",    "PASSWORT",
	"SECRETKEY", "ACCESSKEY",  "PRIVATEKEY",  "DBPASS", "DBPASSWORD",
	"AUTHTOKEN", "APITOKEN",   "MDP",         "PASS",
};

static const char *const pairs[][2] = {
	{ "API", "KEY" },     { "ACCESS", "KEY" },  { "PRIVATE", "KEY" },
	{ "SIGNING", "KEY" }, { "MASTER", "KEY" },  { "ENCRYPTION", "KEY" },
	{ "SESSION", "KEY" }, { "LICENSE", "KEY" }, { "AUTH", "KEY" },
	{ "STORAGE", "KEY" }, { "HMAC", "KEY" },    { "DEPLOY", "KEY" },
};

static bool names_credential(const struct words *w)
{
	if (is_about(w))
		return false;
	for (size_t i = 0; i < w->n; i++)
		if (among(w->list[i], strong, ARRAY_LEN(strong)))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (has_pair(w, pairs[i][0], pairs[i][1]))
			return true;
	return false;
}

static bool hints_at_it(const struct words *w)
{
	static const char *const weak[] = { "KEY",  "AUTH",   "SALT",    "CRED", "CREDS",
					    "HMAC", "PEPPER", "WEBHOOK", "DSN",  "SEED",
					    "KEYS", "COOKIE", "PIN",     "PSK",  "SAS" };
	if (is_about(w) || among(w->n ? w->list[0] : "", (const char *[]){ "PUBLIC" }, 1))
		return false;
	for (size_t i = 0; i < w->n; i++)
		if (among(w->list[i], weak, ARRAY_LEN(weak)))
			return true;
	return false;
}

static const char *const public_words[] = { "PUBLIC",      "PUB",    "CA",     "CACERT",
					    "CERT",        "DIGEST", "SHA256", "CHECKSUM",
					    "FINGERPRINT", "COMMIT", "IMAGE",  "SITE" };

static bool is_public(const struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (among(w->list[i], public_words, ARRAY_LEN(public_words)))
			return true;
	return false;
}

enum { BIT = 1 << 10 }; // fixed point

// The logarithm to base 2 of 1 … 512; libm's would be the webhook's only use of it, with 3 KB
// of tables.
static unsigned log2_of(unsigned n)
{
	unsigned whole = 0, ret;
	while (n >> (whole + 1))
		whole++;
	uint64_t x = ((uint64_t)n << 31) >> whole; // 1 <= x < 2, one bit a squaring
	ret = whole * BIT;
	for (unsigned bit = BIT / 2; bit; bit /= 2) {
		x = (x * x) >> 31;
		if (x >> 32) {
			x >>= 1;
			ret += bit;
		}
	}
	return ret;
}

// Bits a letter, of at most 512 letters.
static unsigned entropy(const char *v)
{
	unsigned count[256] = { 0 }, sum = 0, len = (unsigned)strlen(v);
	for (size_t i = 0; i < len; i++)
		count[(unsigned char)v[i]]++;
	for (size_t i = 0; i < 256; i++)
		if (count[i])
			sum += count[i] * log2_of(count[i]);
	return log2_of(len) - sum / len;
}

static bool looks_random(const char *v)
{
	size_t len = strlen(v), hex = strspn(v, "0123456789abcdef");
	bool lower = false, upper = false, digit = false;
	if (len < 16 || len > 512 || strpbrk(v, " :,;{}[]()\\\"'"))
		return false;
	if (hex == len)
		return len >= 32 && entropy(v) >= 3 * BIT;
	for (const char *c = v; *c; c++) {
		lower |= islower((unsigned char)*c);
		upper |= isupper((unsigned char)*c);
		digit |= isdigit((unsigned char)*c);
	}
	return lower && upper && digit && entropy(v) >= 7 * BIT / 2;
}

// --- the whole

static bool is_uuid(const char *v)
{
	return strlen(v) == 36 && v[8] == '-' && v[13] == '-' && v[18] == '-' &&
	       strspn(v, "0123456789abcdefABCDEF-") == 36;
}

static bool is_plain_url(const char *v)
{
	return strstr(v, "://") && !has_url_password(v);
}

// Rules 1 and 2.
static const char *by_value(const char *v)
{
	const char *what = known_form(v);
	if (what)
		return what;
	if (has_url_password(v))
		return "a password in a URL";
	return has_assigned_password(v) ? "a password in a connection string" : NULL;
}

// The same behind an encoding.
static const char *by_decoded(const char *v)
{
	AUTO_BUF struct buf b = BUF_INIT(VALUE_MAX);
	size_t len = strlen(v);
	if (len >= 16 && codec_b64_decode(v, len, B64_STD, &b, NULL) &&
	    str_valid_utf8(buf_str(&b), b.len) && !memchr(buf_str(&b), 0, b.len)) {
		const char *what = by_value(buf_str(&b));
		if (what)
			return what;
	}
	buf_reset(&b);
	if (!strchr(v, '%') || !codec_url_unescape(v, len, &b, NULL))
		return NULL;
	return by_value(buf_str(&b));
}

const char *literal_credential(const char *name, const char *value)
{
	struct words w;
	struct str trimmed = str_trim(str_of(value));
	char v[4096];
	if (trimmed.len == 0)
		return NULL;
	const char *what = by_value(value); // a form is known at any length
	if (!what && trimmed.len < VALUE_MAX)
		what = by_decoded(value);
	if (what || trimmed.len >= sizeof(v))
		return what;
	memcpy(v, trimmed.p, trimmed.len);
	v[trimmed.len] = '\0';
	split(name, &w);
	if (is_reference(v) || is_word(v) || is_small_number(v) || is_path(v) ||
	    is_plain_url(v) || is_public(&w))
		return NULL;
	if (names_credential(&w) && strlen(v) >= 4)
		return "a credential, by its name";
	return hints_at_it(&w) && looks_random(v) && !is_uuid(v)
		       ? "a credential: it is random"
		       : NULL;
}

// --- the same rule in another language

const char *literal_token(size_t i, unsigned *ret_least)
{
	if (i >= ARRAY_LEN(tokens))
		return NULL;
	*ret_least = tokens[i].least;
	return tokens[i].prefix;
}

const char *const *literal_pair(size_t i)
{
	return i < ARRAY_LEN(pairs) ? pairs[i] : NULL;
}

const char *const *literal_words(enum literal_table table, size_t *ret_n)
{
	static const struct {
		const char *const *list;
		size_t n;
	} tables[] = {
		[LITERAL_REFERENCES] = { references, ARRAY_LEN(references) },
		[LITERAL_PLAIN] = { plain_words, ARRAY_LEN(plain_words) },
		[LITERAL_ASSIGNED] = { assigned, ARRAY_LEN(assigned) },
		[LITERAL_ABOUT] = { about, ARRAY_LEN(about) },
		[LITERAL_STRONG] = { strong, ARRAY_LEN(strong) },
		[LITERAL_PUBLIC] = { public_words, ARRAY_LEN(public_words) },
	};
	*ret_n = tables[table].n;
	return tables[table].list;
}
