// SPDX-License-Identifier: Apache-2.0
// `ampoule seal import`: Kubernetes Secret manifests, dotenv files, Vault paths.
#include "cmd/seal_import.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/codec.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/manifest.h"

static void list_release(struct seal_import_list **l)
{
	for (size_t i = 0; i < (*l)->n; i++) {
		mem_free((*l)->items[i].path);
		mem_free((*l)->items[i].scope);
		buf_release(&(*l)->items[i].value);
	}
	mem_free(*l);
}

bool seal_import_add(struct seal_import_list *l, const char *prefix, const char *path,
		     const json_t *data, struct err *e)
{
	if (l->n == SEAL_IMPORT_MAX)
		return err_set(e, ERR_LIMIT, 0, "more than %d entries at once",
			       SEAL_IMPORT_MAX);
	struct seal_import_item *item = &l->items[l->n++];
	*item = (struct seal_import_item){ .value = BUF_INIT(SEALED_VALUE_MAX) };
	item->path = prefix && path ? mem_printf("%s/%s", prefix, path)
				    : mem_strdup(prefix ? prefix : path);
	if (!sealed_path_ok(item->path, e))
		return err_wrap(e, "'%s'", item->path);
	if (json_write(data, &item->value, e) && !buf_failed(&item->value))
		return true;
	err_clear(e);
	return err_set(e, ERR_LIMIT, 0, "'%s' is more than %d bytes as JSON", item->path,
		       SEALED_VALUE_MAX);
}

// --- Kubernetes

static bool add_member(json_t *to, const char *key, const char *base64, struct err *e)
{
	AUTO_BUF struct buf bytes = BUF_INIT(SEALED_VALUE_MAX);
	if (!base64 ||
	    !codec_b64_decode(base64, strlen(base64), B64_STD | B64_NEWLINES, &bytes, e))
		return err_wrap(e, "data.%s", key) ||
		       err_set(e, ERR_CONFIG, 0, "data.%s is no Base64 text", key);
	bool text = str_valid_utf8(buf_str(&bytes), bytes.len) &&
		    !memchr(buf_str(&bytes), '\0', bytes.len);
	if (!text)
		seal_note("'%s' holds bytes that are no text: it stays Base64 "
			  "(base64Decode in "
			  "the template)",
			  key);
	json_object_set_new(to, key,
			    text ? json_str(buf_str(&bytes), bytes.len)
				 : json_string(base64));
	return true;
}

static bool secret_data(const json_t *doc, json_t *to, struct err *e)
{
	const char *key;
	json_t *value;
	json_object_foreach(json_object_get(doc, "data"), key, value)
	{
		if (!add_member(to, key, json_string_value(value), e))
			return false;
	}
	json_object_foreach(json_object_get(doc, "stringData"), key, value)
	{
		if (!json_is_string(value))
			return err_set(e, ERR_CONFIG, 0, "stringData.%s is no text", key);
		json_object_set(to, key, value);
	}
	return true;
}

static bool is_secret(const json_t *doc)
{
	const char *kind = manifest_str(doc, NULL, "kind");
	const char *version = manifest_str(doc, NULL, "apiVersion");
	return kind && version && strcmp(kind, "Secret") == 0 &&
	       strcmp(version, "v1") == 0;
}

static bool read_kubernetes(const struct seal_args *a, const struct manifest *m,
			    struct seal_import_list *to, struct err *e)
{
	for (size_t i = 0; i < m->n; i++) {
		const json_t *doc = m->docs[i].root;
		if (!is_secret(doc))
			continue;
		const char *name = manifest_str(doc, "metadata", "name");
		const char *ns = manifest_str(doc, "metadata", "namespace");
		AUTO_JSON json_t *data = json_object();
		if (!name)
			return err_set(e, ERR_CONFIG, 0,
				       "the Secret in line %u has no name",
				       m->docs[i].line);
		if (!secret_data(doc, data, e) ||
		    !seal_import_add(to, a->prefix, name, data, e))
			return err_wrap(e, "Secret '%s'", name);
		to->items[to->n - 1].scope = mem_strdup(ns);
	}
	return to->n > 0 || err_set(e, ERR_MISSING, 0, "there is no Secret (v1) in it");
}

// --- sources

static bool read_source(const char *source, struct buf *to, struct err *e)
{
	return strcmp(source, "-") == 0 ? file_read_fd(STDIN_FILENO, to, e)
					: file_read(source, to, e);
}

static bool read_dotenv(const struct seal_args *a, struct str text,
			struct seal_import_list *to, struct err *e)
{
	AUTO_JSON json_t *all = NULL;
	if (!a->prefix)
		return err_set(
			e, ERR_CONFIG, 0,
			"--prefix PATH names the entry that gets a dotenv file's keys");
	return seal_dotenv_parse(text, a->operands.items[0], &all, e) &&
	       (json_object_size(all) > 0 ||
		err_set(e, ERR_MISSING, 0, "there is no KEY=VALUE in it")) &&
	       seal_import_add(to, a->prefix, NULL, all, e);
}

static bool read_all(const struct seal_args *a, struct seal_import_list *to,
		     struct err *e)
{
	const char *source = a->operands.items[0], *format = a->format;
	if (format && strcmp(format, "vault") == 0)
		return seal_vault_read(a, source, to, e);
	if (format && strcmp(format, "kubernetes") != 0 && strcmp(format, "dotenv") != 0)
		return err_set(e, ERR_CONFIG, 0,
			       "--format is kubernetes, dotenv or vault");
	AUTO_BUF struct buf bytes = BUF_INIT(MANIFEST_MAX);
	if (!read_source(source, &bytes, e))
		return false;
	struct str text = { buf_str(&bytes), bytes.len };
	AUTO_MANIFEST struct manifest m = { 0 };
	struct err no_yaml = ERR_INIT;
	bool yaml = !(format && format[0] == 'd') &&
		    manifest_parse(text, source, &m, &no_yaml);
	if (!format && yaml && m.n > 0 && json_is_object(m.docs[0].root))
		format = "kubernetes";
	if (!format || format[0] == 'd')
		return read_dotenv(a, text, to, e);
	return yaml ? read_kubernetes(a, &m, to, e)
		    : err_set(e, no_yaml.kind, 0, "%s", no_yaml.text);
}

bool seal_import(const struct seal_args *a, struct err *e)
{
	AUTO(list_release) struct seal_import_list *list = mem_alloc(sizeof(*list));
	if (!read_all(a, list, e))
		return err_wrap(e, "'%s'", a->operands.items[0]);
	AUTO_FREE struct seal_append *all = mem_calloc(list->n, sizeof(*all));
	for (size_t i = 0; i < list->n; i++)
		all[i] = (struct seal_append){
			.args = a,
			.path = list->items[i].path,
			.action = SEALED_PUT,
			.value = bytes_of(buf_str(&list->items[i].value),
					  list->items[i].value.len),
			.if_version = a->if_version,
			.scope = list->items[i].scope,
		};
	if (!seal_append_all(all, list->n, e))
		return false;
	for (size_t i = 0; i < list->n; i++)
		fprintf(stderr, "%s: '%s' version %" PRIu64 " sealed\n", a->file,
			all[i].path, all[i].version);
	seal_note("the source still holds the plaintext: remove it, and change what was "
		  "ever "
		  "in Git");
	return true;
}
