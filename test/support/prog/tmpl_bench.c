// SPDX-License-Identifier: Apache-2.0
// links: templates
// Renders one template over and over for the benchmark of test/bench/template.sh, beside
// test/diff/bench. usage: tmpl_bench TEMPLATE DATA.json MILLISECONDS [parse]
// Prints renders, nanoseconds a render, and the peak of resident memory in KiB.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "templates/template.h"

enum { INPUT_MAX = 4 << 20 };

static long long now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

// Numbers become floats in place, as Go's decoder has them: the document lies in memory once.
static void floats(json_t *j)
{
	json_t *v = NULL;
	void *next = NULL;
	const char *key = NULL;
	size_t i = 0;
	json_object_foreach_safe(j, next, key, v)
	{
		floats(v);
		if (json_number_text(v))
			json_object_set_new(j, key,
					    json_real(strtod(json_number_text(v), NULL)));
	}
	json_array_foreach(j, i, v)
	{
		floats(v);
		if (json_number_text(v))
			json_array_set_new(j, i,
					   json_real(strtod(json_number_text(v), NULL)));
	}
}

// getrusage() would count what the process was before it became this program.
static long peak_kib(void)
{
	char line[256];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	AUTO_BUF struct buf text = BUF_INIT(INPUT_MAX);
	AUTO_BUF struct buf data = BUF_INIT(INPUT_MAX);
	AUTO_BUF struct buf out = BUF_INIT(INPUT_MAX);
	AUTO_JSON json_t *j = NULL;
	struct tmpl_opts opts = { .name = "t", .max_steps = 1UL << 40, .max_ms = 600000 };
	struct tmpl *t = NULL;
	mem_init(false);
	if (argc < 4 || !file_read(argv[1], &text, &e) ||
	    !file_read(argv[2], &data, &e) ||
	    !json_parse(buf_str(&data), data.len, INPUT_MAX, JSON_KEEP_NUMBERS, &j, &e) ||
	    !tmpl_parse(buf_str(&text), text.len, &opts, &t, &e)) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	floats(j);
	buf_release(&data);
	long long start = now_ns(), end = start + atoll(argv[3]) * 1000000, n = 0,
		  last = start;
	for (; last < end; n++) {
		bool complete = false;
		buf_reset(&out);
		if (argc > 4) {
			tmpl_free(t);
			if (!tmpl_parse(buf_str(&text), text.len, &opts, &t, &e))
				return 1;
		}
		if (!tmpl_run(t, NULL, j, &out, &complete, &e)) {
			fprintf(stderr, "%s\n", e.text);
			return 1;
		}
		if (n % 16 == 0)
			last = now_ns();
	}
	printf("%lld %lld %ld %zu\n", n, (now_ns() - start) / n, peak_kib(), out.len);
	tmpl_free(t);
	return 0;
}
