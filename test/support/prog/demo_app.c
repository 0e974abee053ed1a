// SPDX-License-Identifier: Apache-2.0
// A small application, as an app team would write it: reads its secret from a file, reads it
// again on SIGHUP, ends on SIGTERM. With --deaf it ignores SIGHUP, as many do.
// Each thing it does is a line with a time, for the demo's timeline and the system tests.
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_MAX = 4096 };

static void say(const char *what, const char *detail)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	printf("%lld.%03ld %s%s%s\n", (long long)t.tv_sec, t.tv_nsec / 1000000, what,
	       *detail ? " " : "", detail);
	fflush(stdout);
}

static void read_secret(const char *path)
{
	char text[TEXT_MAX];
	FILE *f = fopen(path, "re");
	if (!f) {
		say("cannot-read", strerror(errno));
		return;
	}
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	say("has", text);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fputs("usage: demo_app FILE [--deaf]\n", stderr);
		return 2;
	}
	bool deaf = argc > 2 && strcmp(argv[2], "--deaf") == 0;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	read_secret(argv[1]);
	for (;;) {
		int signo = sigwaitinfo(&set, NULL);
		if (signo == SIGTERM)
			return 0;
		if (signo != SIGHUP)
			continue;
		say(deaf ? "ignores" : "signalled", "HUP");
		if (!deaf)
			read_secret(argv[1]);
	}
}
