// SPDX-License-Identifier: Apache-2.0
// Values in and out: standard input, a file, a terminal. Never an argument.
#include <errno.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/seal_int.h"
#include "lib/base/file.h"

// One line, typed twice unseen would be a nuisance: once, unseen.
static bool read_terminal(struct buf *to, struct err *e)
{
	static const char prompt[] = "value (not shown; ends with Enter): ";
	struct termios old, quiet;
	if (tcgetattr(STDIN_FILENO, &old) != 0)
		return err_set(e, ERR_CONFIG, errno, "read the terminal's state");
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	// Quiet first: what is typed after the prompt is neither shown nor dropped.
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	bool ok = file_write_all(STDERR_FILENO, prompt, sizeof(prompt) - 1, e);
	for (char c = 0; ok;) {
		ssize_t n = read(STDIN_FILENO, &c, 1);
		if (n == 0 || c == '\n')
			break;
		ok = (n == 1 && buf_putc(to, c)) || (n < 0 && errno == EINTR);
	}
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	ok = file_write_all(STDERR_FILENO, "\n", 1, e) && ok;
	return ok || err_set(e, ERR_CONFIG, errno, "read the value from the terminal");
}

// `echo` ends what it prints with a newline, which is a part of no password.
static void drop_line_end(struct buf *b)
{
	const char *first = b->len > 0 ? memchr(b->data, '\n', b->len) : NULL;
	if (!first || first != b->data + b->len - 1)
		return;
	size_t n = b->len - 1;
	if (n > 0 && b->data[n - 1] == '\r')
		n--;
	buf_truncate(b, n);
}

bool seal_value_read(const struct seal_args *a, struct buf *to, struct err *e)
{
	if (a->edit && a->from)
		return err_set(e, ERR_CONFIG, 0, "--edit and --from exclude each other");
	bool ok;
	if (a->edit)
		ok = seal_value_edit(to, e);
	else if (a->from)
		ok = file_read(a->from, to, e);
	else if (isatty(STDIN_FILENO))
		ok = read_terminal(to, e);
	else
		ok = file_read_fd(STDIN_FILENO, to, e);
	if (!ok)
		return err_wrap(e, "value");
	if (!a->from && !a->exact)
		drop_line_end(to);
	return to->len > 0 || a->empty ||
	       err_set(e, ERR_CONFIG, 0,
		       "the value is empty: --empty if that is meant (to take a secret "
		       "away: "
		       "'ampoule seal remove')");
}

bool seal_value_print(const struct buf *value, struct err *e)
{
	if (!file_write_all(STDOUT_FILENO, buf_str(value), value->len, e))
		return false;
	bool open_line = value->len == 0 || value->data[value->len - 1] != '\n';
	return !isatty(STDOUT_FILENO) || !open_line ||
	       file_write_all(STDOUT_FILENO, "\n", 1, e);
}
