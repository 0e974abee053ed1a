// SPDX-License-Identifier: Apache-2.0
// What the server said, in one line, and what of it gives nothing away.
#include "stores/vault_said.h"

#include <string.h>

#include "lib/base/json.h"
#include "lib/base/str.h"

enum {
	BODY_MAX = 64 * 1024, // of a refusal; more is not read
	PIECE = 10,           // letters of a credential that give it away
	WORD_MAX = 48,        // a longer word may be a token
};

// The texts of a member that is a list, in one line with single blanks.
void vault_said(const char *body, size_t len, const char *key, struct buf *to)
{
	AUTO_JSON json_t *j = NULL;
	json_t *list = NULL;
	if (!body || !json_parse(body, len, BODY_MAX, JSON_KEEP_NUMBERS, &j, NULL) ||
	    !json_get_arr(j, key, &list, NULL))
		return;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));
		if (to->len)
			buf_puts(to, "; ");
		for (; s && *s; s++) {
			char c = (unsigned char)*s <= ' ' || *s == 0x7f ? ' ' : *s;
			if (c != ' ' || (to->len && to->data[to->len - 1] != ' '))
				buf_putc(to, c);
		}
	}
	while (to->len && to->data[to->len - 1] == ' ')
		buf_truncate(to, to->len - 1);
}

bool vault_says_bad_token(const char *body, size_t len)
{
	AUTO_BUF struct buf b = BUF_INIT(VAULT_SAID_ALL_MAX);
	vault_said(body, len, "errors", &b);
	return strcmp(buf_str(&b), "permission denied") == 0 ||
	       strstr(buf_str(&b), "invalid token") || strstr(buf_str(&b), "bad token");
}

bool vault_says_nothing(const char *body, size_t len)
{
	AUTO_JSON json_t *j = NULL;
	json_t *errors = NULL;
	return body && json_parse(body, len, BODY_MAX, JSON_KEEP_NUMBERS, &j, NULL) &&
	       json_get_arr(j, "errors", &errors, NULL) && errors &&
	       json_array_size(errors) == 0;
}

bool vault_says_kv2(const char *body, size_t len)
{
	AUTO_BUF struct buf b = BUF_INIT(VAULT_SAID_ALL_MAX);
	vault_said(body, len, "warnings", &b);
	return strstr(buf_str(&b), "Invalid path for a versioned K/V") != NULL;
}

// Whether any PIECE letters of the credential stand in the text.
static bool holds_piece(const char *text, const char *credential)
{
	size_t len = strlen(credential);
	char piece[PIECE + 1];
	for (size_t i = 0; i + PIECE <= len; i++) {
		memcpy(piece, credential + i, PIECE);
		piece[PIECE] = '\0';
		if (strstr(text, piece))
			return true;
	}
	return len > 0 && len < PIECE && strstr(text, credential);
}

static bool looks_like_token(struct str word)
{
	static const char *const starts[] = { "hvs.", "hvb.", "hvr.", "s.",
					      "b.",   "r.",   "eyJ",  "-----BEGIN" };
	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		if (word.len > PIECE &&
		    strncmp(word.p, starts[i], strlen(starts[i])) == 0)
			return true;
	return word.len > WORD_MAX;
}

bool vault_said_may_be_repeated(const char *text, const json_t *sent)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)sent, key,
			    v) if (strcmp(key, "role") != 0 && json_is_string(v) &&
				   holds_piece(text, json_string_value(v))) return false;
	struct str rest = str_of(text), word;
	while (str_next(&rest, ' ', &word))
		if (looks_like_token(word))
			return false;
	return str_valid_utf8(text, strlen(text));
}
