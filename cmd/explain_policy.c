// SPDX-License-Identifier: Apache-2.0
// A manifest, the webhook's code and the policies: which rule decides, and why.
#include "cmd/explain_policy.h"

#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/policy_case.h"
#include "cmd/yaml_json.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "webhook/policy.h"

static const char usage[] =
	"usage: ampoule explain -f MANIFEST [--policies PATH] [--config FILE] [-n NS]\n";

struct explaining {
	const char *file, *policies, *config, *namespace_;
	struct settings settings;
	unsigned looked_at, refused;
};

static const char *text_of(const json_t *o, const char *key, const char *usual)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : usual;
}

static void print_policy(void *ctx, const char *name, const char *file,
			 enum policy_mode mode, bool applies, const char *why)
{
	(void)ctx;
	if (applies)
		printf("  policy '%s' (%s, %s) is for it\n", name, policy_mode_name(mode),
		       file);
	else
		printf("  policy '%s' is not: %s\n", name,
		       strcmp(why, "match") == 0 ? "its match names others"
						 : "its exclude names it");
}

static void indent(const char *lines)
{
	struct str rest = str_of(lines), line;
	while (str_next(&rest, '\n', &line))
		if (line.len)
			printf("  %.*s\n", (int)line.len, line.p);
}

// The pod of an object: itself, or its template.
static const json_t *pod_of(const json_t *object)
{
	const json_t *spec = json_object_get(object, "spec");
	const json_t *job = json_object_get(json_object_get(spec, "jobTemplate"), "spec");
	if (json_is_object(json_object_get(spec, "template")))
		return json_object_get(spec, "template");
	if (json_is_object(json_object_get(job, "template")))
		return json_object_get(job, "template");
	return strcmp(text_of(object, "kind", ""), "Pod") == 0 ? object : NULL;
}

static bool explain(struct explaining *x, json_t *object, struct err *e)
{
	const json_t *metadata = json_object_get(object, "metadata");
	const char *kind = text_of(object, "kind", ""),
		   *ns = text_of(metadata, "namespace", x->namespace_);
	struct policy_case c = { .file = x->file };
	int64_t day = clock_wall_ms();
	if (!pod_of(object))
		return true;
	c.document = json_pack("{s:s, s:I, s:O}", "namespace", ns, "nowMs",
			       (json_int_t)day, "object", object);
	struct policy_ask ask = { .settings = &x->settings,
				  .pod = pod_of(object),
				  .namespace_ = ns,
				  .kind = kind,
				  .now_ms = day };
	bool ok = policy_case_judge(&x->settings, &c, e);
	if (ok) {
		printf("%s %s/%s: %s\n", kind, ns, text_of(metadata, "name", "?"),
		       c.decision);
		indent(c.reasons);
		policies_tell(x->settings.policies, &ask, print_policy, NULL);
		x->looked_at++;
		x->refused += strcmp(c.decision, "deny") == 0;
	}
	policy_case_release(&c);
	return ok || err_wrap(e, "%s '%.200s'", kind, text_of(metadata, "name", "?"));
}

static bool explain_all(struct explaining *x, json_t *object, struct err *e)
{
	json_t *items = json_object_get(object, "items"), *one;
	size_t i;
	if (!json_is_array(items))
		return explain(x, object, e);
	json_array_foreach(items, i, one)
	{
		if (!explain(x, one, e))
			return false;
	}
	return true;
}

static bool run(struct explaining *x, struct err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(YAML_TEXT_MAX);
	AUTO_JSON json_t *docs = NULL;
	json_t *one;
	size_t i;
	bool ok = x->config ? settings_load(x->config, &x->settings, e)
			    : (settings_init(&x->settings), true);
	if (!ok ||
	    (x->policies && !policies_add_path(x->settings.policies, x->policies, e)))
		return false;
	if (!(strcmp(x->file, "-") == 0 ? file_read_fd(0, &text, e)
					: file_read(x->file, &text, e)) ||
	    !yaml_read(x->file, buf_str(&text), text.len, &docs, e))
		return false;
	json_array_foreach(docs, i, one)
	{
		if (!explain_all(x, one, e))
			return false;
	}
	return x->looked_at > 0 ||
	       err_set(e, ERR_CONFIG, 0, "%.200s holds no pod and no workload", x->file);
}

int explain_manifest(int argc, char **argv)
{
	struct explaining x = { .namespace_ = "default" };
	struct err e = ERR_INIT;
	const struct {
		const char *name;
		const char **to;
	} values[] = { { "-f", &x.file },
		       { "--policies", &x.policies },
		       { "--config", &x.config },
		       { "--namespace", &x.namespace_ },
		       { "-n", &x.namespace_ } };
	for (int i = 1; i < argc; i += 2) {
		bool found = false;
		for (size_t k = 0; k < ARRAY_LEN(values); k++)
			if (i + 1 < argc && strcmp(argv[i], values[k].name) == 0) {
				*values[k].to = argv[i + 1];
				found = true;
			}
		if (!found) {
			fputs(usage, stderr);
			return CMD_USAGE;
		}
	}
	if (!x.file) {
		fputs(usage, stderr);
		return CMD_USAGE;
	}
	bool ok = run(&x, &e);
	settings_release(&x.settings);
	if (!ok)
		fprintf(stderr, "ampoule: %s\n", e.text);
	return ok && x.refused == 0 ? CMD_GOOD : CMD_BAD;
}
