// SPDX-License-Identifier: Apache-2.0
// ampoule inject: the webhook's own code, offline, over manifests.
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/inject_diff.h"
#include "cmd/yaml_json.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "webhook/inject.h"

static const char usage[] =
	"usage: ampoule inject [-f FILE|-] [--config FILE] [--namespace NS] [--diff]\n"
	"\n"
	"Does to every pod of a manifest what the webhook would do, and prints the "
	"result.\n"
	"Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, List, and "
	"any "
	"other\n"
	"kind with a pod template; several YAML documents, or JSON. Warnings go to "
	"stderr.\n"
	"\n"
	"  -f FILE         the manifest; without it, or with -, standard input\n"
	"  --config FILE   the webhook's configuration\n"
	"  --namespace NS  for objects that name none (default)\n"
	"  --diff          shows what changes instead; ends with 1 when something does\n";

struct request {
	const char *file, *config, *namespace_;
	bool diff, changed;
	struct settings settings;
};

static const char *name_of(const json_t *object)
{
	const json_t *metadata = json_object_get(object, "metadata");
	const char *name = json_string_value(json_object_get(metadata, "name"));
	if (!name)
		name = json_string_value(json_object_get(metadata, "generateName"));
	return name ? name : "";
}

static void print_warnings(const struct request *r, const json_t *object,
			   const json_t *warnings)
{
	const char *kind = json_string_value(json_object_get(object, "kind"));
	for (size_t i = 0; i < json_array_size(warnings); i++)
		fprintf(stderr, "%s: %s %s: warning: %s\n", r->file, kind ? kind : "?",
			name_of(object), json_string_value(json_array_get(warnings, i)));
}

// The API server takes no other values than texts, and the webhook never sees them.
static bool check_texts(const json_t *pod, struct err *e)
{
	const char *key;
	json_t *value,
		*all = json_object_get(json_object_get(pod, "metadata"), "annotations");
	json_object_foreach(all, key, value)
	{
		if (!json_is_string(value))
			return err_set(e, ERR_CONFIG, 0,
				       "annotation %.253s is no text; put its value into "
				       "quotes",
				       key);
	}
	return true;
}

// A template's pod, in place of `holder`'s member `key`, or the object itself.
static bool inject_at(struct request *r, json_t *object, json_t *holder, const char *key,
		      json_t **ret, struct err *e)
{
	const json_t *metadata = json_object_get(object, "metadata");
	const char *own = json_string_value(json_object_get(metadata, "namespace"));
	json_t *pod = key ? json_object_get(holder, key) : object;
	struct inject_ask ask = { .pod = pod,
				  .namespace_ = own ? own : r->namespace_,
				  .settings = &r->settings };
	struct inject_result result = { .pod = NULL };
	bool ok = check_texts(pod, e) && inject_pod(&ask, &result, e);
	print_warnings(r, object, result.warnings);
	if (ok && result.pod) {
		r->changed |= !json_equal(pod, result.pod);
		if (key)
			json_object_set(holder, key, result.pod);
		else
			*ret = json_incref(result.pod);
	}
	inject_release(&result);
	return ok || err_wrap(e, "%s '%.253s'",
			      json_string_value(json_object_get(object, "kind"))
				      ? json_string_value(json_object_get(object, "kind"))
				      : "object",
			      name_of(object));
}

static bool has_containers(const json_t *pod)
{
	return json_is_array(json_object_get(json_object_get(pod, "spec"), "containers"));
}

// Where an object keeps its pod template.
static json_t *template_holder(json_t *object)
{
	json_t *spec = json_object_get(object, "spec");
	json_t *job = json_object_get(
		json_object_get(json_object_get(spec, "jobTemplate"), "spec"),
		"template");
	if (has_containers(json_object_get(spec, "template")))
		return spec;
	if (has_containers(job))
		return json_object_get(json_object_get(spec, "jobTemplate"), "spec");
	return has_containers(json_object_get(object, "template")) ? object : NULL;
}

static bool inject_object(struct request *r, json_t **object, struct err *e)
{
	const char *kind = json_string_value(json_object_get(*object, "kind"));
	json_t *items = json_object_get(*object, "items");
	if (kind && str_ends(kind, "List") && json_is_array(items)) {
		for (size_t i = 0; i < json_array_size(items); i++) {
			json_t *one = json_incref(json_array_get(items, i));
			bool ok = inject_object(r, &one, e);
			json_array_set_new(items, i, one);
			if (!ok)
				return false;
		}
		return true;
	}
	json_t *holder = template_holder(*object), *fresh = NULL;
	if (holder)
		return inject_at(r, *object, holder, "template", NULL, e);
	if (!kind || strcmp(kind, "Pod") != 0)
		return true;
	if (!inject_at(r, *object, NULL, NULL, &fresh, e))
		return false;
	if (fresh) {
		json_decref(*object);
		*object = fresh;
	}
	return true;
}

static bool write_all(const json_t *docs, bool json, struct buf *to, struct err *e)
{
	for (size_t i = 0; i < json_array_size(docs); i++) {
		json_t *doc = json_array_get(docs, i);
		if (json) {
			AUTO_FREE char *text = json_dumps(doc, JSON_INDENT(2));
			buf_printf(to, "%s\n", text);
			continue;
		}
		if (i > 0)
			buf_puts(to, "---\n");
		if (!yaml_write(doc, to, e))
			return false;
	}
	return !buf_failed(to) || err_set(e, ERR_LIMIT, 0, "the result is too long");
}

static bool read_input(const struct request *r, struct buf *to, struct err *e)
{
	return strcmp(r->file, "-") == 0 ? file_read_fd(0, to, e)
					 : file_read(r->file, to, e);
}

static bool run(struct request *r, struct err *e)
{
	AUTO_BUF struct buf in = BUF_INIT(YAML_TEXT_MAX);
	AUTO_BUF struct buf before = BUF_INIT(YAML_TEXT_MAX);
	AUTO_BUF struct buf after = BUF_INIT(YAML_TEXT_MAX);
	AUTO_JSON json_t *docs = NULL;
	if (r->config ? !settings_load(r->config, &r->settings, e)
		      : (settings_init(&r->settings), false))
		return false;
	if (!read_input(r, &in, e) || !yaml_read(r->file, buf_str(&in), in.len, &docs, e))
		return false;
	bool json = str_trim(str_of(buf_str(&in))).len > 0 &&
		    str_trim(str_of(buf_str(&in))).p[0] == '{';
	if (r->diff && !write_all(docs, json, &before, e))
		return false;
	for (size_t i = 0; i < json_array_size(docs); i++) {
		json_t *one = json_incref(json_array_get(docs, i));
		bool ok = inject_object(r, &one, e);
		json_array_set_new(docs, i, one);
		if (!ok)
			return err_wrap(e, "%s", r->file);
	}
	if (!write_all(docs, json, &after, e))
		return false;
	AUTO_BUF struct buf out = BUF_INIT(2 * YAML_TEXT_MAX);
	if (r->diff)
		inject_diff(r->file, buf_str(&before), buf_str(&after), &out);
	fputs(r->diff ? buf_str(&out) : buf_str(&after), stdout);
	return true;
}

static bool parse(int argc, char **argv, struct request *r)
{
	const struct {
		const char *name;
		const char **to;
	} values[] = { { "-f", &r->file },
		       { "--file", &r->file },
		       { "--config", &r->config },
		       { "--namespace", &r->namespace_ },
		       { "-n", &r->namespace_ } };
	for (int i = 1; i < argc; i++) {
		bool found = strcmp(argv[i], "--diff") == 0;
		r->diff |= found;
		for (size_t k = 0; !found && k < ARRAY_LEN(values); k++)
			if (strcmp(argv[i], values[k].name) == 0 && i + 1 < argc) {
				if (*values[k].to)
					return false; // twice
				*values[k].to = argv[++i];
				found = true;
			}
		if (!found)
			return false;
	}
	r->file = r->file ? r->file : "-";
	r->namespace_ = r->namespace_ ? r->namespace_ : "default";
	return true;
}

int cmd_inject(int argc, char **argv)
{
	struct request r = { .file = NULL };
	struct err e = ERR_INIT;
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		return CMD_GOOD;
	}
	if (!parse(argc, argv, &r)) {
		fputs(usage, stderr);
		return CMD_USAGE;
	}
	bool ok = run(&r, &e);
	settings_release(&r.settings);
	if (!ok)
		fprintf(stderr, "ampoule: %s\n", e.text);
	return ok && !(r.diff && r.changed) ? CMD_GOOD : CMD_BAD;
}
