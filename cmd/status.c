// SPDX-License-Identifier: Apache-2.0
// ampoule status: a table of what an agent holds, from its status document.
#include <stdio.h>
#include <string.h>

#include "agent/control.h"
#include "cmd/cmd.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/conf.h"

enum { DOC_MAX = 16 << 20, ASK_MS = 5000, AGE_TEXT = 32, N_COLUMNS = 9 };

static const char usage[] =
	"usage: ampoule status --socket PATH | --config FILE [--json]\n"
	"\n"
	"Asks a running agent over its socket (status_socket of its configuration) for "
	"the\n"
	"files it has published: secret and version, age, lease left, when the "
	"application\n"
	"was told, and whether it has read them. Never a value.\n";

struct request {
	const char *socket, *config;
	bool json, help;
};

static bool parse(int argc, char **argv, struct request *r, struct err *e)
{
	for (int i = 1; i < argc; i++) {
		bool more = i + 1 < argc;
		if (strcmp(argv[i], "--json") == 0)
			r->json = true;
		else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			r->help = true;
		else if (strcmp(argv[i], "--socket") == 0 && more)
			r->socket = argv[++i];
		else if (strcmp(argv[i], "--config") == 0 && more)
			r->config = argv[++i];
		else
			return err_set(
				e, ERR_CONFIG, 0,
				"'%s' is not understood; see ampoule status --help",
				argv[i]);
	}
	return r->help || r->socket || r->config ||
	       err_set(e, ERR_CONFIG, 0, "give --socket PATH or --config FILE");
}

static void ignore_warning(void *ctx, const char *text)
{
	(void)ctx;
	(void)text; // the agent has said it already
}

static char *socket_of(const struct request *r, struct err *e)
{
	const char *paths[] = { r->config, NULL };
	struct conf_load_opts opts = { .paths = paths,
				       .has_command = true,
				       .warn = ignore_warning };
	struct conf *conf = NULL;
	if (r->socket)
		return mem_strdup(r->socket);
	if (!conf_load(&opts, &conf, e))
		return NULL;
	char *path = mem_strdup(conf->status_socket);
	conf_free(conf);
	if (!path)
		err_set(e, ERR_CONFIG, 0, "'%s' names no status_socket", r->config);
	return path;
}

// "320ms", "12s", "5m", "3h", "-" for never.
static const char *age(const json_t *o, const char *key, char ret[static AGE_TEXT])
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = {
		{ 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" }
	};
	int64_t ms = -1;
	if (!json_get_int(o, key, &ms, NULL) || ms < 0)
		return "-";
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (ms >= 2 * units[i].ms || (i == 3 && ms >= 1000)) {
			snprintf(ret, AGE_TEXT, "%lld%s", (long long)(ms / units[i].ms),
				 units[i].unit);
			return ret;
		}
	snprintf(ret, AGE_TEXT, "%lldms", (long long)ms);
	return ret;
}

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s && *s ? s : "-";
}

// A table whose columns are as wide as their widest cell.
struct table {
	char **cells; // rows × N_COLUMNS
	size_t rows;
	size_t width[N_COLUMNS];
};

static void add_row(struct table *t, const char *const cells[static N_COLUMNS])
{
	t->cells = mem_realloc(t->cells, (t->rows + 1) * N_COLUMNS * sizeof(char *));
	for (size_t i = 0; i < N_COLUMNS; i++) {
		t->cells[t->rows * N_COLUMNS + i] = mem_strdup(cells[i]);
		if (strlen(cells[i]) > t->width[i])
			t->width[i] = strlen(cells[i]);
	}
	t->rows++;
}

static void print_table(struct table *t)
{
	for (size_t r = 0; r < t->rows; r++)
		for (size_t i = 0; i < N_COLUMNS; i++) {
			char *cell = t->cells[r * N_COLUMNS + i];
			bool last = i == N_COLUMNS - 1;
			printf("%-*s%s", last ? 0 : (int)t->width[i], cell,
			       last ? "\n" : "  ");
			mem_free(cell);
		}
	mem_free(t->cells);
}

static void print_files(const json_t *files)
{
	static const char *const head[N_COLUMNS] = {
		"CONTAINER",  "FILE",     "SECRETS", "STATE",   "RENDERED",
		"LEASE LEFT", "NOTIFIED", "READ",    "READ AGO"
	};
	struct table t = { 0 };
	size_t i;
	const json_t *f;
	add_row(&t, head);
	json_array_foreach(files, i, f)
	{
		char rendered[AGE_TEXT], lease[AGE_TEXT], told[AGE_TEXT], read[AGE_TEXT];
		add_row(&t,
			(const char *const[N_COLUMNS]){
				text(f, "container"), text(f, "file"), text(f, "secrets"),
				text(f, "state"), age(f, "rendered_ms_ago", rendered),
				age(f, "lease_left_ms", lease),
				age(f, "notified_ms_ago", told), text(f, "read"),
				age(f, "read_ms_ago", read) });
	}
	print_table(&t);
}

// What is wrong, a line each, below the table.
static void print_errors(const json_t *list, const char *name_key)
{
	size_t i;
	const json_t *o;
	json_array_foreach(list, i, o) if (json_object_get(o, "error"))
		printf("%s: %s\n", text(o, name_key), text(o, "error"));
}

static void print_document(const json_t *doc)
{
	printf("agent %lld is %s\n",
	       (long long)json_integer_value(json_object_get(doc, "pid")),
	       text(doc, "state"));
	if (json_is_false(json_object_get(doc, "receipts")))
		puts("receipts unavailable: the node has no inotify instance left, or "
		     "observe "
		     "is off");
	print_files(json_object_get(doc, "files"));
	print_errors(json_object_get(doc, "stores"), "store");
	print_errors(json_object_get(doc, "secrets"), "secret");
	print_errors(json_object_get(doc, "files"), "file");
	if (json_object_get(doc, "notification_error"))
		printf("notification: %s\n", text(doc, "notification_error"));
}

static bool show(const struct request *r, struct err *e)
{
	AUTO_FREE char *path = socket_of(r, e);
	AUTO_BUF struct buf answer = BUF_INIT(DOC_MAX);
	AUTO_JSON json_t *doc = NULL;
	if (!path)
		return false;
	struct control_question q = { .socket = path,
				      .line = "status",
				      .timeout_ms = ASK_MS };
	if (!control_ask(&q, &answer, e))
		return false;
	if (r->json) {
		fputs(buf_str(&answer), stdout);
		return true;
	}
	if (!json_parse(buf_str(&answer), answer.len, DOC_MAX, JSON_PLAIN, &doc, e))
		return err_wrap(e, "the agent's answer");
	print_document(doc);
	return true;
}

int cmd_status(int argc, char **argv)
{
	struct request r = { 0 };
	struct err e = ERR_INIT;
	if (!parse(argc, argv, &r, &e)) {
		fprintf(stderr, "ampoule status: %s\n", e.text);
		return CMD_USAGE;
	}
	if (r.help) {
		fputs(usage, stdout);
		return CMD_GOOD;
	}
	if (show(&r, &e))
		return CMD_GOOD;
	fprintf(stderr, "ampoule status: %s\n", e.text);
	return CMD_BAD;
}
