# SPDX-License-Identifier: Apache-2.0
# Does NAME=VALUE look like a credential? The same rule as webhook/policy_literal.c, which says
# it in words.
package lib.ampoule.literal

import data.lib.ampoule.obj

# --- forms of tokens: what it is, and expressions of which one stands behind no letter or digit

letters := `[A-Za-z0-9_\-.=+/]`

forms := [
	{"what": "an AWS access key", "of": "(?:AKIA|ASIA)", "least": 16},
	{"what": "a GitHub token", "of": "(?:gh[pous]_|github_pat_)", "least": 30},
	{"what": "a GitLab token", "of": "(?:glpat-|gldt-)", "least": 18},
	{"what": "a Slack token", "of": "(?:xox[bpa]-|xapp-)", "least": 20},
	{"what": "a payment key", "of": "(?:[sr]k_live_|sk_test_)", "least": 16},
	{"what": "a webhook secret", "of": "whsec_", "least": 16},
	{"what": "an API key", "of": "sk-", "least": 32},
	{"what": "a Google API key", "of": "AIza", "least": 30},
	{"what": "a Google token", "of": `ya29\.`, "least": 20},
	{"what": "a Vault token", "of": `hv[sb]\.`, "least": 20},
	{"what": "an npm token", "of": "npm_", "least": 30},
	{"what": "a PyPI token", "of": "pypi-", "least": 30},
	{"what": "a registry token", "of": "dckr_pat_", "least": 20},
	{"what": "a mail service key", "of": `SG\.`, "least": 40},
	{"what": "a model hub token", "of": "hf_", "least": 30},
	{"what": "a cloud token", "of": "dop_v1_", "least": 40},
	{"what": "a shop token", "of": "shpat_", "least": 30},
	{"what": "a monitoring key", "of": "NRAK-", "least": 20},
	{"what": "a private key", "of": "AGE-SECRET-KEY-", "least": 40},
	{"what": "an Atlassian token", "of": "ATATT3", "least": 40},
	{"what": "a JSON web token", "of": "(?:eyJhbGciOi|eyJ0eXAiOi|eyJraWQiOi)", "least": 40},
]

token(form) := sprintf(`(?:^|[^A-Za-z0-9])%s%s{%d}`, [form.of, letters, form.least])

any_token := concat("|", [token(form) | some form in forms])

known_form(v) := "a private key" if {
	regex.match(`(?s)-----BEGIN .*PRIVATE KEY-----`, v)
} else := "a cloud storage key" if {
	regex.match(`AccountKey=|SharedAccessKey=`, v)
} else := found[0] if {
	regex.match(any_token, v)
	found := [form.what | some form in forms; regex.match(token(form), v)]
}

# --- references and placeholders

references := [
	"$(", "${", "{{", "<", "vault:", "arn:", "secret://", "ref+", "bao:", "sm://", "secretref:",
	"op://", "aws:", "azure:", "gcp:", "file:", "env:", "kms:", "ssm:", "%(",
]

is_reference(v) if strings.any_prefix_match(v, references)

words := {
	"true", "false", "yes", "no", "on", "off", "none", "null", "nil", "default", "disabled",
	"enabled", "required", "optional", "basic", "bearer", "jwt", "oauth2", "oauth", "oidc",
	"plain", "scram", "token", "password", "secret", "mtls", "anonymous", "kubernetes", "iam",
	"redacted", "md5", "never", "always", "auto", "cookie", "header", "session", "opaque",
	"memory", "redis", "vault", "unset",
}

is_word(v) if lower(v) in words

is_word(v) if regex.match(`^[*xX.\-]*$`, v)

is_harmless(v) if is_reference(v)

is_harmless(v) if is_word(v)

is_harmless(v) if regex.match(`^[0-9.]{1,5}[smhdwkKMGi]{0,2}$`, v)

is_harmless(v) if regex.match(`^(?:/|\./|\.\./|~/)[^ =:@]*$`, v)

is_harmless(v) if {
	contains(v, "://")
	not has_url_password(v)
}

# --- passwords inside of URLs and connection strings

is_password(p) if {
	count(p) >= 3
	not is_reference(p)
	not is_word(p)
}

has_url_password(v) if {
	found := regex.find_all_string_submatch_n(`(?s)^.*?://([^/ ?#]*)`, v, 1)
	authority := found[0][1]
	colon := indexof(authority, ":")
	colon >= 0
	rest := substring(authority, colon + 1, -1)
	contains(rest, "@")
	is_password(split(rest, "@")[0])
}

has_assigned_password(v) if {
	keys := `password|passwd|pwd|secret|apikey|api_key|access_token|auth_token`
	expression := sprintf(`(?i)(?:^|[^A-Za-z0-9])(?:%s)=([^&;, \t\n'"]*)`, [keys])
	some found in regex.find_all_string_submatch_n(expression, v, -1)
	is_password(found[1])
}

by_value(v) := what if {
	what := known_form(v)
} else := "a password in a URL" if {
	has_url_password(v)
} else := "a password in a connection string" if {
	has_assigned_password(v)
}

decoded(v) := text if {
	count(v) >= 16
	count(v) < 16384
	count(v) % 4 == 0
	regex.match(`^[A-Za-z0-9+/]*={0,2}$`, v)
	text := base64.decode(v)
	not regex.match(`[\x{fffd}\x00]`, text)
}

unescaped(v) := text if {
	contains(v, "%")
	text := urlquery.decode(replace(v, "+", "%2B"))
}

by_decoded(v) := what if {
	what := by_value(decoded(v))
} else := what if {
	what := by_value(unescaped(v))
}

# --- names

split_name(name) := [upper(word) |
	some word in regex.find_n("[A-Za-z0-9]+", regex.replace(name, "([a-z])([A-Z])", "${1} ${2}"), -1)
]

# A last word that makes the name one about a credential.
about := {
	"FILE", "PATH", "DIR", "NAME", "NAMES", "URL", "URI", "ENDPOINT", "HOST", "PORT", "TTL",
	"EXPIRY", "EXPIRES", "EXPIRATION", "LENGTH", "SIZE", "COUNT", "LIMIT", "LIMITS", "ENABLED",
	"DISABLED", "REQUIRED", "POLICY", "TYPE", "ALGORITHM", "ALG", "ISSUER", "AUDIENCE", "HEADER",
	"ID", "IDS", "REF", "VERSION", "REGION", "PREFIX", "SUFFIX", "STORE", "PROVIDER", "BACKEND",
	"MODE", "INTERVAL", "TIMEOUT", "ROUNDS", "LIFETIME", "DURATION", "AGE", "FORMAT", "METHOD",
	"SCOPE", "SCOPES", "FIELD", "FIELDS", "KIND", "LOCATION", "FOLDER", "MOUNT", "NAMESPACE",
	"ROTATION", "REFRESH", "SERVICE", "MANAGER", "SOURCE", "CLASS", "ATTEMPTS", "RETRIES", "HINT",
	"REGEX", "PATTERN", "MIN", "MAX", "ROLE", "PER", "SECONDS", "MINUTES", "HOURS", "DAYS", "MS",
	"CLAIM", "COOKIE", "VALIDATION", "CHECK", "URLS", "PERCENT", "RATIO", "STRATEGY", "DRIVER",
	"ENGINE", "ENDPOINTS", "ENCODING", "USERNAME", "USER", "LABEL", "PROPERTY", "PARAMETER",
	"VAR", "ENV",
}

strong := {
	"PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "APIKEY", "CREDENTIAL", "CREDENTIALS",
	"PWD", "PASSWORT", "SECRETKEY", "ACCESSKEY", "PRIVATEKEY", "DBPASS", "DBPASSWORD",
	"AUTHTOKEN", "APITOKEN", "MDP", "PASS",
}

key_owners := {
	"API", "ACCESS", "PRIVATE", "SIGNING", "MASTER", "ENCRYPTION", "SESSION", "LICENSE", "AUTH",
	"STORAGE", "HMAC", "DEPLOY",
}

weak := {
	"KEY", "AUTH", "SALT", "CRED", "CREDS", "HMAC", "PEPPER", "WEBHOOK", "DSN", "SEED", "KEYS",
	"COOKIE", "PIN", "PSK", "SAS",
}

public := {
	"PUBLIC", "PUB", "CA", "CACERT", "CERT", "DIGEST", "SHA256", "CHECKSUM", "FINGERPRINT",
	"COMMIT", "IMAGE", "SITE",
}

is_about(list) if list[count(list) - 1] in about

names_credential(list) if {
	not is_about(list)
	some word in list
	word in strong
}

names_credential(list) if {
	not is_about(list)
	some i, word in list
	word in key_owners
	list[i + 1] == "KEY"
}

hints_at_it(list) if {
	not is_about(list)
	list[0] != "PUBLIC"
	some word in list
	word in weak
}

is_public(list) if {
	some word in list
	word in public
}

# --- randomness

# Rego has no logarithm: 2^e * m, and the series of artanh for m in [1, 2).
log2(n) := e + ((2 * sum) / 0.6931471805599453) if {
	powers := [p | some p in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]; p <= n]
	e := count(powers) - 1
	m := n / powers[e]
	y := (m - 1) / (m + 1)
	q := y * y
	sum := y * (1 + (q * ((1 / 3) + (q * ((1 / 5) + (q * ((1 / 7) + (q * ((1 / 9) + (q / 11))))))))))
}

# Bits a letter.
entropy(v) := log2(n) - (sum(parts) / n) if {
	list := split(v, "")
	n := count(list)
	different := {one | some one in list}
	parts := [part |
		some letter in different
		c := count([1 | some other in list; other == letter])
		part := c * log2(c)
	]
}

fits(v) if {
	count(v) >= 16
	count(v) <= 512
	not regex.match(`[ :,;{}\[\]()\\"']`, v)
}

looks_random(v) if {
	fits(v)
	regex.match("^[0-9a-f]*$", v)
	count(v) >= 32
	entropy(v) >= 2.99999
}

looks_random(v) if {
	fits(v)
	not regex.match("^[0-9a-f]*$", v)
	regex.match("[a-z]", v)
	regex.match("[A-Z]", v)
	regex.match("[0-9]", v)
	entropy(v) >= 3.49999
}

is_uuid(v) if regex.match(`^[0-9a-fA-F-]{8}-[0-9a-fA-F-]{4}-[0-9a-fA-F-]{4}-[0-9a-fA-F-]{17}$`, v)

by_name(list, v) := "a credential, by its name" if {
	names_credential(list)
	obj.bytes(v) >= 4
} else := "a credential: it is random" if {
	hints_at_it(list)
	looks_random(v)
	not is_uuid(v)
}

credential(name, value) := what if {
	what := by_value(value)
} else := what if {
	what := by_decoded(value)
} else := what if {
	trimmed := trim_space(value)
	trimmed != ""
	count(trimmed) < 4096
	not is_harmless(trimmed)
	list := split_name(name)
	not is_public(list)
	what := by_name(list, trimmed)
}
