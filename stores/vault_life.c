// SPDX-License-Identifier: Apache-2.0
// What a secret's answer is: its change key, and how long it may be kept. Everything that
// depends on the shape of an answer is here.
#include <string.h>

#include "lib/base/backoff.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "stores/ssh_cert.h"
#include "stores/vault_answer.h"

enum {
	LEASE_DEFAULT_S = 300, // of a lease that names no time
	UNTIL_MIN_MS = 1000,
	SHARE_PERCENT = 95,      // of a time that ends: 95 % less up to a tenth of that
	KV1_DEFAULT_S = 2764800, // the server's default; not a wish of the secret's owner
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = NULL;
	return json_get_str(o, key, &s, NULL) && s ? s : "";
}

static json_t *object_of(const json_t *o, const char *key)
{
	json_t *v = NULL;
	return json_get_obj(o, key, &v, NULL) ? v : NULL;
}

static bool has_number(const json_t *o, const char *key, int64_t *ret)
{
	return json_object_get(o, key) && json_number_text(json_object_get(o, key)) &&
	       vault_get_seconds(o, key, ret, NULL);
}

// A timestamp of the server may be shown; anything else of its answer may not.
static const char *shown_time(const char *s)
{
	size_t len = strlen(s);
	return len > 0 && len <= 40 && strspn(s, "0123456789-:.TZ+") == len ? s : "";
}

static void live_until(struct store_answer *a, const struct vault_shape *how,
		       int64_t left_ms)
{
	int64_t ms = left_ms / 100 * SHARE_PERCENT;
	ms = backoff_jitter(how->seed, ms, 10);
	a->life = LIFE_UNTIL;
	a->next_ms = ms < UNTIL_MIN_MS ? UNTIL_MIN_MS : ms;
}

// --- KV version 2 -------------------------------------------------------------------------

static bool is_kv2(const struct vault_reply *r, const struct vault_shape *how)
{
	const json_t *m = object_of(r->data, "metadata");
	if (how->verb != STORE_READ || how->kv == VAULT_KV_1 || how->kv == VAULT_KV_NONE)
		return false;
	return m && json_object_get(r->data, "data") &&
	       json_number_text(json_object_get(m, "version")) &&
	       json_is_boolean(json_object_get(m, "destroyed"));
}

static bool kv2_gone(const json_t *meta, const struct vault_shape *how, struct err *e)
{
	const char *version = json_number_text(json_object_get(meta, "version"));
	const char *deleted = text_of(meta, "deletion_time");
	if (json_is_true(json_object_get(meta, "destroyed")))
		return err_set(e, ERR_MISSING, STORE_GONE,
			       "version %.20s of '%s' was destroyed; write a new one",
			       version, how->path);
	if (*deleted)
		return err_set(
			e, ERR_MISSING, STORE_GONE,
			"version %.20s of '%s' was deleted (%s); undelete it or write a "
			"new one",
			version, how->path, shown_time(deleted));
	return err_set(e, ERR_MISSING, 404, "version %.20s of '%s' holds no data",
		       version, how->path);
}

static bool kv2_answer(const struct vault_reply *r, const struct vault_shape *how,
		       struct store_answer *a, struct err *e)
{
	const json_t *meta = object_of(r->data, "metadata");
	// With delete_version_after deletion_time lies ahead and the data is there: it counts.
	if (!object_of(r->data, "data"))
		return kv2_gone(meta, how, e);
	a->version = json_number_text(json_object_get(meta, "version"));
	clock_rfc3339_parse(text_of(meta, "created_time"), &a->made_ms);
	return true;
}

// --- the other engines --------------------------------------------------------------------

static void lease(const struct vault_reply *r, struct store_answer *a)
{
	a->life = LIFE_LEASE;
	a->lease_id = r->lease_id;
	a->version = r->lease_id;
	a->lease_ms = (r->lease_s ? r->lease_s : LEASE_DEFAULT_S) * 1000;
	a->renewable = r->renewable;
}

// How soon to look again while a rotation is due: servers do it within seconds, and until
// then the old password is good; but it may be stuck (the database is down).
static int64_t due_delay(int64_t due_for_ms)
{
	static const struct {
		int64_t up_to_ms, delay_ms;
	} steps[] = { { 10 * 1000, 200 }, { 60 * 1000, 2000 } };
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (due_for_ms < steps[i].up_to_ms)
			return steps[i].delay_ms;
	return 15 * 1000;
}

// A password that the server itself rotates. `ttl` is rounded to whole seconds, so the
// moment may come half a second earlier.
static bool static_role(const json_t *data, const struct vault_shape *how,
			struct store_answer *a)
{
	int64_t ttl = 0;
	if (!json_object_get(data, "rotation_period") &&
	    !json_object_get(data, "rotation_schedule"))
		return false;
	if (!has_number(data, "ttl", &ttl))
		return false;
	if (ttl > 0)
		*how->due_ms = 0;
	else if (!*how->due_ms)
		*how->due_ms = how->mono_ms;
	a->life = LIFE_UNTIL;
	a->next_ms = ttl > 0 ? ttl * 1000 - 500 : due_delay(how->mono_ms - *how->due_ms);
	a->version = text_of(data, "last_vault_rotation");
	clock_rfc3339_parse(a->version, &a->made_ms);
	return true;
}

static bool certificate(const json_t *data, const struct vault_shape *how,
			struct store_answer *a)
{
	int64_t ends = 0;
	if (!*text_of(data, "certificate") || !has_number(data, "expiration", &ends))
		return false;
	live_until(a, how, ends * 1000 - how->wall_ms);
	a->version = text_of(data, "serial_number");
	return true;
}

// A signed SSH key says itself until when it is good; the answer does not.
static bool ssh_certificate(const json_t *data, const struct vault_shape *how,
			    struct store_answer *a)
{
	uint64_t ends;
	if (!ssh_cert_end(text_of(data, "signed_key"), &ends) || ends > INT64_MAX / 1000)
		return false;
	live_until(a, how, (int64_t)ends * 1000 - how->wall_ms);
	a->version = text_of(data, "serial_number");
	return true;
}

// A lifetime without a lease: approle's secret id, or a token that a template made.
static void other_life(const struct vault_reply *r, const struct vault_shape *how,
		       struct store_answer *a)
{
	int64_t ttl = 0;
	if (r->auth && vault_get_seconds(r->auth, "lease_duration", &ttl, NULL) && ttl)
		live_until(a, how, ttl * 1000);
	else if (has_number(r->data, "secret_id_ttl", &ttl) && ttl)
		live_until(a, how, (ttl + 1) * 1000);
}

// KV version 1 has no version and no lease: lease_duration is the secret's own `ttl` key
// (its owner's wish to be read again then) or the server's default (which says nothing).
static void kv1_life(const struct vault_reply *r, const struct vault_shape *how,
		     struct store_answer *a)
{
	if (json_object_get(r->data, "ttl") && r->lease_s && r->lease_s < KV1_DEFAULT_S)
		live_until(a, how, r->lease_s * 1000);
}

static bool read_answer(const struct vault_reply *r, const struct vault_shape *how,
			struct store_answer *a, struct err *e)
{
	if (!r->json && how->status == 200)
		return err_set(e, ERR_RETRY, 200, "the answer for '%s' is empty",
			       how->path);
	if (is_kv2(r, how))
		return kv2_answer(r, how, a, e);
	if (how->status == 404)
		return err_set(e, ERR_MISSING, 404, "there is no '%s'", how->path);
	if (how->kv == VAULT_KV_2 && how->verb == STORE_READ &&
	    (r->data || r->auth || r->wrap_info))
		return err_set(e, ERR_RETRY, 200,
			       "the answer for '%s' is no KV version 2 secret",
			       how->path);
	if (!r->data && !r->auth && !r->wrap_info)
		return err_set(e, ERR_MISSING, how->status, "'%s' holds no data",
			       how->path);
	if (how->kv == VAULT_KV_1)
		kv1_life(r, how, a);
	else if (*r->lease_id)
		lease(r, a);
	else if (!static_role(r->data, how, a) && !certificate(r->data, how, a) &&
		 !ssh_certificate(r->data, how, a))
		other_life(r, how, a);
	return true;
}

// --- lists --------------------------------------------------------------------------------

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// The names in order; what is no text is a broken answer. No keys at all is an empty list.
static bool list_answer(const struct vault_reply *r, struct store_answer *a,
			struct err *e)
{
	json_t *keys = NULL;
	struct err why = ERR_INIT;
	if (!json_get_arr(r->data, "keys", &keys, &why))
		return vault_refuse(e, &why);
	size_t n = json_array_size(keys);
	AUTO_FREE const char **names = mem_calloc(n + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++) {
		const json_t *key = json_array_get(keys, i);
		if (!json_is_string(key) || json_number_text(key))
			return err_set(e, ERR_RETRY, 200,
				       "a name in the list is no text");
		names[i] = json_string_value(key);
	}
	qsort(names, n, sizeof(*names), by_text);
	a->body = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(a->body, json_str(names[i], strlen(names[i])));
	return true;
}

bool vault_answer_secret(const struct vault_reply *r, const struct vault_shape *how,
			 struct store_answer *ret, struct err *e)
{
	struct store_answer a = { .life = LIFE_STATIC, .lease_id = "", .version = "" };
	if (how->verb == STORE_LIST) {
		if (!list_answer(r, &a, e))
			return false;
	} else if (how->verb == STORE_WRITE && !r->json) {
		a.body = json_null(); // stored; nothing came back
	} else {
		if (!read_answer(r, how, &a, e))
			return false;
		a.body = json_incref(r->json);
	}
	*ret = a;
	return true;
}
