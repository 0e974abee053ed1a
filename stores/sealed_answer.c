// SPDX-License-Identifier: Apache-2.0
// From a value's bytes to the JSON that a template sees.
#include "stores/sealed_answer.h"

#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/sealed_word.h"

bool sealed_ask_path(const char *ask, char **ret_path, uint64_t *ret_version,
		     struct err *e)
{
	static const char query[] = "?version=";
	const char *mark = strchr(ask, '?');
	size_t n = mark ? (size_t)(mark - ask) : strlen(ask);
	*ret_version = 0;
	if (mark && !str_starts(mark, query))
		return err_set(e, ERR_CONFIG, 0,
			       "path '%s': the sealed store knows only '?version=N'",
			       ask);
	if (mark && strcmp(mark + strlen(query), "0") != 0 &&
	    !sealed_version_read(str_of(mark + strlen(query)), ret_version, e))
		return err_wrap(e, "path '%s'", ask);
	AUTO_FREE char *path = mem_strndup(ask, n);
	if (!sealed_path_ok(path, e))
		return err_wrap(e, "path '%s'", ask);
	*ret_path = TAKE(path);
	return true;
}

static json_t *object_of(const struct buf *bytes)
{
	struct str text = str_trim((struct str){ buf_str(bytes), bytes->len });
	json_t *j = NULL;
	if (text.len == 0 || text.p[0] != '{' ||
	    !json_parse(text.p, text.len, SEALED_VALUE_MAX, JSON_KEEP_NUMBERS, &j, NULL))
		return NULL;
	if (json_is_object(j))
		return j;
	json_decref(j);
	return NULL;
}

static json_t *data_of(const struct buf *bytes)
{
	json_t *data = object_of(bytes);
	if (data)
		return data;
	data = json_object();
	const char *text = buf_str(bytes);
	if (!memchr(text, '\0', bytes->len) && str_valid_utf8(text, bytes->len)) {
		json_object_set_new(data, "value", json_str(text, bytes->len));
		return data;
	}
	AUTO_BUF struct buf letters = BUF_INIT(2 * SEALED_VALUE_MAX);
	codec_b64_encode(text, bytes->len, B64_STD, &letters);
	json_object_set_new(data, "value", json_str(letters.data, letters.len));
	json_object_set_new(data, "encoding", json_string("base64"));
	return data;
}

json_t *sealed_answer_body(const struct sealed_value *value)
{
	json_t *body = json_object();
	json_object_set_new(body, "request_id", json_string(""));
	json_object_set_new(body, "lease_id", json_string(""));
	json_object_set_new(body, "lease_duration", json_number_new("0", 1));
	json_object_set_new(body, "renewable", json_false());
	json_object_set_new(body, "data", data_of(&value->bytes));
	return body;
}

// The part of the path below the folder, up to and with its first slash; len 0 when the path
// is not below it.
static struct str name_below(const char *path, struct str folder)
{
	if (folder.len > 0) {
		if (strncmp(path, folder.p, folder.len) != 0 || path[folder.len] != '/')
			return (struct str){ NULL, 0 };
		path += folder.len + 1;
	}
	const char *slash = strchr(path, '/');
	return (struct str){ path, slash ? (size_t)(slash - path) + 1 : strlen(path) };
}

// Sorted paths put "a-b" between "a" and "a/b": a name may come up again later.
static bool has_name(const json_t *list, struct str name)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		if (json_string_length(one) == name.len &&
		    memcmp(json_string_value(one), name.p, name.len) == 0)
			return true;
	}
	return false;
}

bool sealed_answer_list(const struct sealed_list *l, const char *folder, json_t **ret,
			struct err *e)
{
	struct str prefix = str_of(folder);
	while (prefix.len > 0 && prefix.p[prefix.len - 1] == '/')
		prefix.len--;
	AUTO_JSON json_t *list = json_array();
	for (size_t i = 0; i < l->file->n; i++) {
		const struct sealed_line *line = &l->file->lines[i];
		if (line->damage || line->entry.action == SEALED_REMOVE ||
		    !sealed_file_is_newest(l->file, i) || !l->counts(l->ctx, line))
			continue;
		struct str name = name_below(line->entry.path, prefix);
		if (name.len > 0 && !has_name(list, name))
			json_array_append_new(list, json_str(name.p, name.len));
	}
	if (json_array_size(list) == 0)
		return err_set(e, ERR_MISSING, 0, "%s has no entry below '%s'",
			       l->file->name, folder);
	*ret = TAKE(list);
	return true;
}
