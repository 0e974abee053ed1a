// SPDX-License-Identifier: Apache-2.0
// ampoule-webhook: arguments → settings → server → exit code.
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "webhook/serve.h"

#ifndef AMPOULE_VERSION
#define AMPOULE_VERSION "unknown"
#endif

enum { EXIT_GOOD = 0, EXIT_BAD = 1, EXIT_USAGE = 2 };

struct args {
	const char *config, *log_level, *log_format;
	bool help, version;
};

static const char help[] =
	"usage: ampoule-webhook --config FILE\n"
	"The admission webhook: POST /mutate, GET /healthz /readyz /metrics, over "
	"HTTPS.\n"
	"\n"
	"  --config FILE        listen, certificate, image, stores, defaults (HCL or "
	"JSON)\n"
	"  --log-level LEVEL    trace, debug, info, warn or error (info)\n"
	"  --log-format FORMAT  text or json (text)\n"
	"  --version            versions, ours and the TLS library's\n";

static int usage(const char *why, const char *what)
{
	fprintf(stderr, "ampoule-webhook: %s '%s'; see --help\n", why, what);
	return EXIT_USAGE;
}

// "--name VALUE" or "--name=VALUE".
static bool takes(const char *name, char **argv, int *i, const char **ret)
{
	size_t len = strlen(name);
	if (strncmp(argv[*i], name, len) != 0)
		return false;
	if (argv[*i][len] == '=') {
		*ret = argv[*i] + len + 1;
		return true;
	}
	if (argv[*i][len] || !argv[*i + 1])
		return false;
	*ret = argv[++*i];
	return true;
}

static int parse(int argc, char **argv, struct args *a)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			a->help = true;
		else if (strcmp(argv[i], "--version") == 0)
			a->version = true;
		else if (!takes("--config", argv, &i, &a->config) &&
			 !takes("--log-level", argv, &i, &a->log_level) &&
			 !takes("--log-format", argv, &i, &a->log_format))
			return usage("there is no", argv[i]);
	}
	return EXIT_GOOD;
}

static int set_log(const struct args *a)
{
	enum log_level level = LOG_INFO;
	enum log_format format = LOG_FORMAT_TEXT;
	if (a->log_level && !log_level_parse(a->log_level, &level))
		return usage("--log-level knows no", a->log_level);
	if (a->log_format && !log_format_parse(a->log_format, &format))
		return usage("--log-format knows no", a->log_format);
	log_setup(level, format);
	return EXIT_GOOD;
}

int main(int argc, char **argv)
{
	struct args a = { .config = NULL };
	struct err e = ERR_INIT;
	mem_init(false);
	int rc = parse(argc, argv, &a);
	rc = rc ? rc : set_log(&a);
	if (rc)
		return rc;
	if (a.help) {
		fputs(help, stdout);
		return EXIT_GOOD;
	}
	if (!crypto_init(&e)) {
		fprintf(stderr, "ampoule-webhook: %s\n", e.text);
		return EXIT_BAD;
	}
	if (a.version) {
		printf("ampoule-webhook %s (%s)\n", AMPOULE_VERSION, crypto_version());
		return EXIT_GOOD;
	}
	if (!a.config)
		return usage("an option is missing:", "--config FILE");
	if (!serve_run(a.config, &e)) {
		fprintf(stderr, "ampoule-webhook: %s\n", e.text);
		return EXIT_BAD;
	}
	return EXIT_GOOD;
}
