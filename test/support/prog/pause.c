// SPDX-License-Identifier: Apache-2.0
// The first process of a test pod, which holds its namespaces: takes up orphans, ends on TERM.
#include <signal.h>
#include <stddef.h>

int main(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;
	int signo;
	sigaction(SIGCHLD, &ignore, NULL); // nobody has to wait for them then
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return sigwait(&set, &signo);
}
