// SPDX-License-Identifier: Apache-2.0
// Keys and files of login methods, and the life of requests.
#include "stores/auth/auth_keys.h"

#include <string.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

void auth_request_release(struct auth_request *r)
{
	mem_free(TAKE(r->path));
	mem_free(TAKE(r->wrapped_path));
	json_decref(TAKE(r->body));
	secret_free(TAKE(r->token));
	*r = (struct auth_request){ .method = NULL };
}

void auth_memory_release(struct auth_memory *m)
{
	secret_free(TAKE(m->id));
	secret_free(TAKE(m->credential));
	secret_free(TAKE(m->wrapper));
}

const char *auth_key(const struct conf_auth *conf, const char *key, const char *otherwise)
{
	const char *s = NULL;
	return json_get_str(conf->config, key, &s, NULL) && s && *s ? s : otherwise;
}

bool auth_key_bool(const struct conf_auth *conf, const char *key, bool otherwise)
{
	const json_t *v = json_object_get(conf->config, key);
	bool b = otherwise;
	if (json_is_boolean(v))
		return json_is_true(v);
	return v && json_is_string(v) && str_bool(json_string_value(v), &b, NULL)
		       ? b
		       : otherwise;
}

bool auth_may_str(const struct conf_auth *conf, const char *key, struct err *e)
{
	const char *s = NULL;
	return json_get_str(conf->config, key, &s, e) ||
	       err_wrap(e, "login '%s'", conf->method);
}

bool auth_want_str(const struct conf_auth *conf, const char *key, struct err *e)
{
	if (!auth_may_str(conf, key, e))
		return false;
	if (!auth_key(conf, key, NULL))
		return err_set(e, ERR_CONFIG, 0, "login '%s' needs the key '%s'",
			       conf->method, key);
	return true;
}

bool auth_may_bool(const struct conf_auth *conf, const char *key, struct err *e)
{
	const json_t *v = json_object_get(conf->config, key);
	bool b;
	if (!v || json_is_boolean(v) ||
	    (json_is_string(v) && str_bool(json_string_value(v), &b, NULL)))
		return true;
	return err_set(e, ERR_CONFIG, 0, "login '%s': '%s' must be true or false",
		       conf->method, key);
}

static const char *mount_path(const struct conf_auth *conf)
{
	return conf->mount_path && *conf->mount_path ? conf->mount_path : NULL;
}

bool auth_want_mount(const struct conf_auth *conf, struct err *e)
{
	const char *path = mount_path(conf);
	if (!path)
		return true;
	while (*path == '/')
		path++;
	// "ns/auth/kubernetes" names the namespace in the path.
	if (!str_starts(path, "auth/") && !strstr(path, "/auth/"))
		return err_set(e, ERR_CONFIG, 0,
			       "login '%s': mount_path '%s' must begin with auth/, as "
			       "auth/%s",
			       conf->method, conf->mount_path, path);
	return true;
}

char *auth_login_path(const struct conf_auth *conf, const char *name)
{
	const char *path = mount_path(conf);
	const char *more = name ? "/" : "";
	if (!path)
		return mem_printf("auth/%s/login%s%s", conf->method, more,
				  name ? name : "");
	while (*path == '/')
		path++;
	size_t len = strlen(path);
	while (len && path[len - 1] == '/')
		len--;
	return mem_printf("%.*s/login%s%s", (int)len, path, more, name ? name : "");
}

bool auth_credential(const char *path, const char *what, struct secret **kept,
		     struct secret **ret, struct err *e)
{
	struct err why = ERR_INIT;
	AUTO_WIPE char *text = NULL;
	if (file_read_token(path, &text, &why)) {
		*ret = secret_from_str(text);
		if (kept) {
			secret_free(*kept);
			*kept = secret_from_str(text);
		}
		return true;
	}
	if (why.kind == ERR_MISSING && kept && *kept) {
		*ret = secret_new(secret_bytes(*kept), secret_len(*kept));
		return true;
	}
	return err_set(e, ERR_AUTH, 0, "%s: %s", what, why.text);
}

void auth_put(json_t *body, const char *key, const struct secret *value)
{
	json_object_set_new(body, key, json_str(secret_bytes(value), secret_len(value)));
}
