// SPDX-License-Identifier: Apache-2.0
#include "agent/exec_frame.h"

#include <signal.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"

static const char *const words[] = { [FRAME_WAIT] = "wait ",
				     [FRAME_NO] = "no ",
				     [FRAME_ENV] = "env ",
				     [FRAME_SIGNAL] = "signal " };

static bool next_number(struct str *rest, int64_t max, int64_t *ret)
{
	struct str field;
	if (!str_next(rest, ' ', &field))
		return false;
	AUTO_FREE char *text = mem_strndup(field.p, field.len);
	return str_int64(text, ret, NULL) && *ret >= 0 && *ret <= max;
}

static bool read_signal(struct str *rest, int *ret)
{
	int64_t n;
	if (!next_number(rest, _NSIG - 1, &n) || n == 0)
		return false;
	*ret = (int)n;
	return true;
}

static bool read_env(struct str rest, const char *behind, size_t left,
		     struct exec_frame *ret)
{
	struct str mode;
	int64_t len;
	if (!str_next(&rest, ' ', &mode) ||
	    (!str_eq(mode, "become") && !str_eq(mode, "stay")) ||
	    !read_signal(&rest, &ret->signo) ||
	    !next_number(&rest, INT32_MAX, &ret->stop_ms) ||
	    !next_number(&rest, FRAME_ENV_MAX, &len) || rest.len > 0)
		return false;
	ret->stay = str_eq(mode, "stay");
	if ((size_t)len > left) {
		ret->kind = FRAME_PART;
		return true;
	}
	ret->bytes = behind;
	ret->len = (size_t)len;
	ret->taken += (size_t)len;
	return len == 0 || behind[len - 1] == '\0';
}

bool exec_frame_read(const char *data, size_t len, struct exec_frame *ret, struct err *e)
{
	const char *end = len ? memchr(data, '\n', len) : NULL;
	size_t n = end ? (size_t)(end - data) : len;
	*ret = (struct exec_frame){ .kind = FRAME_PART };
	if (n > FRAME_LINE_MAX)
		return err_set(e, ERR_BUG, 0, "the sidecar's line is too long");
	if (!end)
		return true;
	for (enum exec_frame_kind k = FRAME_WAIT; k <= FRAME_SIGNAL; k++) {
		size_t word = strlen(words[k]);
		if (n < word || memcmp(data, words[k], word) != 0)
			continue;
		struct str rest = { data + word, n - word };
		ret->kind = k;
		ret->taken = n + 1;
		ret->bytes = rest.p;
		ret->len = rest.len;
		if ((k == FRAME_ENV && !read_env(rest, end + 1, len - n - 1, ret)) ||
		    (k == FRAME_SIGNAL && (!read_signal(&rest, &ret->signo) || rest.len)))
			break;
		return true;
	}
	return err_set(e, ERR_BUG, 0, "the sidecar's answer is not understood");
}

static void put_reason(struct buf *to, const char *text, size_t len)
{
	for (size_t i = 0; i < len && i < FRAME_LINE_MAX - 8; i++)
		buf_putc(to, text[i] == '\n' || !text[i] ? ' ' : text[i]);
}

void exec_frame_write(struct buf *to, const struct exec_frame *f)
{
	buf_puts(to, words[f->kind]);
	if (f->kind == FRAME_ENV)
		buf_printf(to, "%s %d %lld %zu", f->stay ? "stay" : "become", f->signo,
			   (long long)f->stop_ms, f->len);
	else if (f->kind == FRAME_SIGNAL)
		buf_printf(to, "%d", f->signo);
	else
		put_reason(to, f->bytes, f->len);
	buf_putc(to, '\n');
	if (f->kind == FRAME_ENV && f->len)
		buf_add(to, f->bytes, f->len);
}

const char *exec_frame_pair(const struct exec_frame *f, const char *after)
{
	const char *next = after ? after + strlen(after) + 1 : f->bytes;
	return next < f->bytes + f->len ? next : NULL;
}
