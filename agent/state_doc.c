// SPDX-License-Identifier: Apache-2.0
// The state's document.
#include "agent/state_doc.h"

#include <string.h>

#include "agent/state_seal.h"
#include "lib/base/json.h"

enum { VERSION = 1 };

static const char *const life_words[] = { [LIFE_STATIC] = "static",
					  [LIFE_LEASE] = "lease",
					  [LIFE_UNTIL] = "until",
					  [LIFE_WATCH] = "watch" };

json_t *state_doc_new(const struct state_now *now)
{
	return json_pack("{s:i, s:I, s:I, s:s, s:{}, s:[]}", "version", VERSION,
			 "wall_ms", (json_int_t)now->wall_ms, "mono_ms",
			 (json_int_t)now->mono_ms, "boot", now->boot, "stores", "untold");
}

json_t *state_doc_secret(const struct state_secret *s)
{
	return json_pack("{s:O, s:s, s:s, s:s, s:I, s:I, s:I, s:b}", "body", s->body,
			 "version", s->version, "life", life_words[s->life], "lease_id",
			 s->lease_id, "lease_ms", (json_int_t)s->lease_ms, "granted_ms",
			 (json_int_t)s->granted_ms, "left_ms", (json_int_t)s->left_ms,
			 "renewable", s->renewable);
}

static bool broken(struct err *e, const char *what, const struct err *why)
{
	return err_set(e, ERR_CONFIG, 0, "it is broken: %s%s%s", what,
		       why->kind ? ": " : "", why->text);
}

static bool read_life(const json_t *o, enum store_life *ret)
{
	const char *word = "";
	if (!json_get_str(o, "life", &word, NULL))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(life_words); i++)
		if (strcmp(word, life_words[i]) == 0) {
			*ret = (enum store_life)i;
			return true;
		}
	return false;
}

// A time is in [0, 2^53): no sum of two can overflow.
static bool read_time(const json_t *o, const char *key, int64_t *ret, struct err *e)
{
	*ret = 0;
	return json_get_int(o, key, ret, e) &&
	       ((*ret >= 0 && *ret < INT64_C(1) << 53) ||
		err_set(e, ERR_CONFIG, 0, "%s is out of range", key));
}

bool state_doc_read_secret(const json_t *o, int64_t age_ms, struct state_secret *ret,
			   struct err *e)
{
	struct err why = ERR_INIT;
	struct state_secret s = { .version = "", .lease_id = "" };
	if (!json_is_object(o) || json_number_text(o))
		return broken(e, "a secret is no object", &why);
	s.body = json_object_get(o, "body");
	if (!s.body || !read_life(o, &s.life) ||
	    !json_get_str(o, "version", &s.version, &why) ||
	    !json_get_str(o, "lease_id", &s.lease_id, &why) ||
	    !read_time(o, "lease_ms", &s.lease_ms, &why) ||
	    !read_time(o, "granted_ms", &s.granted_ms, &why) ||
	    !read_time(o, "left_ms", &s.left_ms, &why) ||
	    !json_get_bool(o, "renewable", &s.renewable, &why))
		return broken(e, "a secret", &why);
	s.left_ms = s.left_ms > age_ms ? s.left_ms - age_ms : 0;
	*ret = s;
	return true;
}

static bool check_store(const json_t *o, struct err *e)
{
	const char *login = NULL, *key;
	json_t *kept = NULL, *secrets = NULL, *one;
	if (!json_is_object(o) || !json_get_str(o, "login", &login, e) || !login ||
	    !json_get_obj(o, "kept", &kept, e) ||
	    !json_get_obj(o, "secrets", &secrets, e) || !secrets)
		return false;
	json_object_foreach(secrets, key, one)
	{
		struct state_secret s;
		if (!state_doc_read_secret(one, 0, &s, e))
			return false;
	}
	return true;
}

static bool check(const json_t *o, struct err *e)
{
	json_t *stores = NULL, *untold = NULL, *one;
	const char *key;
	size_t i;
	if (!json_get_obj(o, "stores", &stores, e) || !stores ||
	    !json_get_arr(o, "untold", &untold, e) || !untold)
		return false;
	json_object_foreach(stores, key, one) if (!check_store(one, e)) return false;
	json_array_foreach(untold, i, one) if (!json_is_string(one) ||
					       json_number_text(one)) return false;
	return true;
}

static bool age_of(const json_t *o, const struct state_now *now, int64_t *ret,
		   struct err *e)
{
	int64_t wall, mono;
	const char *boot = "";
	if (!read_time(o, "wall_ms", &wall, e) || !read_time(o, "mono_ms", &mono, e) ||
	    !json_get_str(o, "boot", &boot, e))
		return false;
	bool same_boot = *boot && strcmp(boot, now->boot) == 0;
	int64_t age = same_boot ? now->mono_ms - mono : now->wall_ms - wall;
	*ret = age > 0 ? age : 0;
	return true;
}

bool state_doc_parse(const char *text, size_t len, const struct state_now *now,
		     json_t **ret, int64_t *ret_age_ms, struct err *e)
{
	AUTO_JSON json_t *o = NULL;
	struct err why = ERR_INIT;
	int64_t version = 0;
	if (!json_parse(text, len, STATE_MAX, JSON_KEEP_NUMBERS, &o, &why) ||
	    !json_is_object(o) || !json_get_int(o, "version", &version, &why))
		return broken(e, "the document", &why);
	if (version != VERSION)
		return err_set(e, ERR_CONFIG, 0, "another version of the agent wrote it");
	if (!age_of(o, now, ret_age_ms, &why) || !check(o, &why))
		return broken(e, "the document", &why);
	if (*ret_age_ms > STATE_AGE_MAX_MS)
		return err_set(e, ERR_CONFIG, 0, "it is %lld days old",
			       (long long)(*ret_age_ms / 86400000));
	*ret = TAKE(o);
	return true;
}
