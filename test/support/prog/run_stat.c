// SPDX-License-Identifier: Apache-2.0
// Runs a command and prints what it cost, as one line of JSON on stdout:
// {"status":0,"wall_us":…,"cpu_us":…,"rss_kib":…,"switches":…}
// A small program of its own, because the peak of a child's memory is never less than that of
// the process that forked it. The command's output goes where ours would go, to stderr.
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static long long us(struct timeval t)
{
	return t.tv_sec * 1000000LL + t.tv_usec;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	long long begin = now_us();
	pid_t pid = fork();
	if (pid == 0) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execv(argv[1], argv + 1);
		_exit(127);
	}
	struct rusage used;
	int status;
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
		return 1;
	printf("{\"status\":%d,\"wall_us\":%lld,\"cpu_us\":%lld,\"rss_kib\":%ld,"
	       "\"switches\":%ld}\n",
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
	       now_us() - begin, us(used.ru_utime) + us(used.ru_stime), used.ru_maxrss,
	       used.ru_nvcsw + used.ru_nivcsw);
	return 0;
}
