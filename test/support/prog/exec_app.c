// SPDX-License-Identifier: Apache-2.0
// The command of a test of exec mode: says who it is and what it has been given, then each
// signal that it gets, in order, with the value that came with it. It ends at TERM and INT
// with the code of --exit, unless --deaf.
//	exec_app [--env NAME]… [--exit N] [--deaf] [--code N] [--die SIGNAL] [--orphans N]
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SILENCE_S = 180 };

static void say_start(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	printf("start %lld.%09ld pid %d ppid %d group %d session %d\n",
	       (long long)t.tv_sec, t.tv_nsec, (int)getpid(), (int)getppid(),
	       (int)getpgrp(), (int)getsid(0));
}

static size_t zombies(void)
{
	size_t n = 0;
	DIR *d = opendir("/proc");
	for (struct dirent *entry; d && (entry = readdir(d));) {
		char path[300], text[512];
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		FILE *f = fopen(path, "re");
		size_t got = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
		if (f)
			fclose(f);
		text[got] = '\0';
		const char *end = strrchr(text, ')');
		n += end && strncmp(end, ") Z", 3) == 0;
	}
	if (d)
		closedir(d);
	return n;
}

// Children whose parent is gone, and which then end: process 1 has to reap them.
static void make_orphans(int count)
{
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			if (fork() == 0)
				_exit(0);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
	size_t left = zombies();
	for (int tries = 0; left > 0 && tries < 2000; tries++) {
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
		left = zombies();
	}
	printf("orphans %d zombies %zu\n", count, left);
}

static int listen_to_signals(const sigset_t *set, int code, bool deaf)
{
	siginfo_t info;
	const struct timespec limit = { .tv_sec = SILENCE_S };
	for (;;) {
		int signo = sigtimedwait(set, &info, &limit);
		if (signo < 0 && errno == EINTR)
			continue;
		// Nobody listens or speaks any more: what a broken test has left behind ends.
		if (signo < 0 || ferror(stdout))
			return 99;
		if (signo == SIGTSTP) {
			puts("sig 20 value 0");
			raise(SIGSTOP);
			continue;
		}
		printf("sig %d value %d\n", signo,
		       info.si_code == SI_QUEUE ? info.si_value.sival_int : 0);
		if ((signo == SIGTERM || signo == SIGINT) && !deaf)
			return code;
	}
}

int main(int argc, char **argv)
{
	int code = 0;
	bool deaf = false;
	sigset_t set;
	memset(&set, 0xff, sizeof(set)); // also those that a C library keeps for itself
	setvbuf(stdout, NULL, _IOLBF, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL); // a test may kill the agent
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		if (strcmp(argv[i], "--deaf") == 0) {
			deaf = true;
			continue;
		}
		i++;
		if (strcmp(argv[i - 1], "--env") == 0)
			printf("env %s=%s\n", value,
			       getenv(value) ? getenv(value) : "(unset)");
		else if (strcmp(argv[i - 1], "--exit") == 0)
			code = (int)strtol(value, NULL, 10);
		else if (strcmp(argv[i - 1], "--code") == 0)
			return (int)strtol(value, NULL, 10);
		else if (strcmp(argv[i - 1], "--orphans") == 0)
			make_orphans((int)strtol(value, NULL, 10));
		else if (strcmp(argv[i - 1], "--die") == 0) {
			sigprocmask(SIG_UNBLOCK, &set, NULL);
			raise((int)strtol(value, NULL, 10));
		}
	}
	say_start();
	return listen_to_signals(&set, code, deaf);
}
