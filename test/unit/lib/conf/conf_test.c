// SPDX-License-Identifier: Apache-2.0
// test/cases/conf: NAME.hcl or NAME.json, and NAME.out (the configuration as conf_to_json()
// gives it, warnings as comments before it) or NAME.err (the message). NAME may be a folder.
// The first lines of a case may ask for more: "# env K=V", "# flag name=value", "# strict";
// JSON has no comments, there a file NAME.opts holds such lines.
// AMPOULE_UPDATE_CASES=1 writes what comes out instead of comparing it.
#include "lib/conf/conf.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

static const char dir[] = "test/cases/conf";

enum { WORDS = 16, TEXT = 1 << 20 };

struct run {
	const char *env[WORDS + 1];
	const char *flags[WORDS + 1];
	bool strict;
	struct buf warnings;
};

static void on_warning(void *ctx, const char *text)
{
	struct run *r = ctx;
	buf_printf(&r->warnings, "# %s\n", text);
}

// Takes the wishes of a case out of its leading comments; the text must outlive the run.
static void read_wishes(struct run *r, char *text)
{
	size_t n_env = 0, n_flags = 0;
	for (char *line = strtok(text, "\n"); line && line[0] == '#';
	     line = strtok(NULL, "\n")) {
		if (str_starts(line, "# env ") && n_env < WORDS)
			r->env[n_env++] = line + 6;
		else if (str_starts(line, "# flag ") && n_flags < WORDS)
			r->flags[n_flags++] = line + 7;
		else if (strcmp(line, "# strict") == 0)
			r->strict = true;
	}
}

static char *read_whole(const char *path)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT);
	if (access(path, R_OK) != 0 || !file_read(path, &b, NULL))
		return NULL;
	return mem_strndup(buf_str(&b), b.len);
}

static bool load(struct run *r, const char *path, struct conf **ret, struct err *e)
{
	const char *paths[] = { path, NULL };
	struct conf_load_opts opts = {
		.paths = paths,
		.strict = r->strict,
		.warn = on_warning,
		.warn_ctx = r,
		.overrides = r->flags,
		.environ_ = r->env,
	};
	return conf_load(&opts, ret, e);
}

static void put_conf(const struct conf *c, struct buf *to)
{
	AUTO_JSON json_t *j = conf_to_json(c);
	char *text =
		json_dumps(j, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
	buf_printf(to, "%s\n", text);
	mem_free(text);
}

// What a configuration says about itself must mean the same when it is read again.
static bool round_trip(const struct conf *c, const char *name)
{
	AUTO_JSON json_t *j = conf_to_json(c);
	AUTO_BUF struct buf text = BUF_INIT(TEXT);
	struct conf *again = NULL;
	struct err e = ERR_INIT;
	if (!json_write(j, &text, &e))
		fail_msg("%s", e.text);
	struct conf_load_opts opts = { .text = buf_str(&text) };
	if (!conf_load(&opts, &again, &e)) {
		printf("%s: its own dump is refused: %s\n%s\n", name, e.text,
		       buf_str(&text));
		return false;
	}
	bool same = conf_equal(c, again);
	if (!same) {
		AUTO_BUF struct buf b = BUF_INIT(TEXT);
		put_conf(again, &b);
		printf("%s: its own dump reads back as\n%s", name, buf_str(&b));
	}
	conf_free(again);
	return same;
}

static bool compare(const char *name, const char *kind, const char *got)
{
	AUTO_FREE char *path = mem_printf("%s/%s.%s", dir, name, kind);
	AUTO_FREE char *other = mem_printf("%s/%s.%s", dir, name,
					   strcmp(kind, "out") == 0 ? "err" : "out");
	if (getenv("AMPOULE_UPDATE_CASES")) {
		struct file_attr attr = { .mode = 0644,
					  .uid = (uid_t)-1,
					  .gid = (gid_t)-1 };
		unlink(other);
		return file_replace(path, got, strlen(got), attr, NULL);
	}
	AUTO_FREE char *want = read_whole(path);
	if (want && strcmp(want, got) == 0)
		return true;
	printf("--- %s: wanted\n%s--- got\n%s", path, want ? want : "(no such file)\n",
	       got);
	return false;
}

static bool run_case(const char *file, const char *name)
{
	AUTO_FREE char *path = mem_printf("%s/%s", dir, file);
	AUTO_FREE char *opts_path = mem_printf("%s/%s.opts", dir, name);
	AUTO_FREE char *opts = read_whole(opts_path);
	AUTO_FREE char *text = opts ? NULL : read_whole(path);
	AUTO_BUF struct buf out = BUF_INIT(TEXT);
	struct run r = { .warnings = BUF_INIT(TEXT) };
	struct conf *c = NULL;
	struct err e = ERR_INIT;
	if (opts || text)
		read_wishes(&r, opts ? opts : text);
	bool ok = load(&r, path, &c, &e), same = true;
	buf_puts(&out, buf_str(&r.warnings));
	if (ok) {
		put_conf(c, &out);
		same = round_trip(c, name);
	} else {
		buf_printf(&out, "%s\n", e.text);
	}
	conf_free(c);
	buf_release(&r.warnings);
	return compare(name, ok ? "out" : "err", buf_str(&out)) && same;
}

static int is_case(const struct dirent *d)
{
	return str_ends(d->d_name, ".hcl") || str_ends(d->d_name, ".json") ||
	       (d->d_type == DT_DIR && d->d_name[0] != '.');
}

static void test_cases(void **state)
{
	(void)state;
	struct dirent **names = NULL;
	int n = scandir(dir, &names, is_case, alphasort), bad = 0;
	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		char *file = names[i]->d_name;
		size_t len = strcspn(file, ".");
		AUTO_FREE char *name = mem_strndup(file, len);
		bad += !run_case(file, name);
		free(names[i]);
	}
	free(names);
	printf("%d cases, %d bad\n", n, bad);
	assert_int_equal(bad, 0);
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
