// SPDX-License-Identifier: Apache-2.0
// The head of a request, by RFC 9112 at its strictest.
#include "lib/http/server_head.h"

#include <string.h>
#include <strings.h>

enum { METHOD_MAX = 16, LENGTH_DIGITS_MAX = 15 };

// What has been seen of the lines that decide where the message ends.
struct seen {
	bool length, coding, host;
};

static bool is_token(unsigned char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_all_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_token((unsigned char)s.p[i]))
			return false;
	return s.len > 0;
}

static bool same(struct str a, const char *b)
{
	return a.len == strlen(b) && strncasecmp(a.p, b, a.len) == 0;
}

struct str http_head_field(const struct http_head *h, const char *name)
{
	for (size_t i = 0; i < h->n_fields; i++)
		if (same(h->fields[i].name, name))
			return h->fields[i].value;
	return (struct str){ "", 0 };
}

// An empty line before the request is forgiven, as RFC 9112 section 2.2 asks; not a second.
static size_t empty_line(const char *bytes, size_t len)
{
	return len >= 2 && bytes[0] == '\r' && bytes[1] == '\n' ? 2 : 0;
}

size_t http_head_end(const char *bytes, size_t len, size_t *scanned)
{
	size_t start = empty_line(bytes, len);
	for (size_t i = *scanned; i < len; i++) {
		if (bytes[i] != '\n')
			continue;
		// An LF behind an LF or LF CR; the parser refuses what lacks its CR.
		size_t at = i > 0 && bytes[i - 1] == '\r' ? i - 1 : i;
		if (at > start && bytes[at - 1] == '\n') {
			*scanned = i;
			return i + 1;
		}
	}
	*scanned = len;
	return 0;
}

static int refuse(int status, const char **ret_reason, const char *reason)
{
	*ret_reason = reason;
	return status;
}

// Takes the line up to CR LF off *rest. False for a bare LF, or a CR elsewhere.
static bool next_line(struct str *rest, struct str *ret)
{
	const char *lf = memchr(rest->p, '\n', rest->len);
	size_t n = lf ? (size_t)(lf - rest->p) : 0;
	if (n == 0 || rest->p[n - 1] != '\r')
		return false;
	*ret = (struct str){ rest->p, n - 1 };
	*rest = (struct str){ lf + 1, rest->len - n - 1 };
	return !memchr(ret->p, '\r', ret->len);
}

static int parse_target(struct http_head *h, const char **ret_reason)
{
	struct str t = h->target;
	for (size_t i = 0; i < t.len; i++)
		if (t.p[i] <= ' ' || t.p[i] >= 0x7f || t.p[i] == '#')
			return refuse(400, ret_reason, "bad character in the target");
	if (!str_eq(t, "*") && (t.len == 0 || *t.p != '/'))
		return refuse(400, ret_reason, "the target must begin with '/'");
	const char *mark = memchr(t.p, '?', t.len);
	h->path = (struct str){ t.p, mark ? (size_t)(mark - t.p) : t.len };
	h->query = mark ? (struct str){ mark + 1, t.len - h->path.len - 1 }
			: (struct str){ t.p + t.len, 0 };
	return 0;
}

static int parse_request_line(struct str line, struct http_head *h,
			      const char **ret_reason)
{
	if (!str_next(&line, ' ', &h->method) || !is_all_token(h->method) ||
	    h->method.len > METHOD_MAX || !str_next(&line, ' ', &h->target))
		return refuse(400, ret_reason, "malformed request line");
	if (line.len == 8 && memcmp(line.p, "HTTP/", 5) == 0) {
		h->http10 = str_eq(line, "HTTP/1.0");
		if (h->http10 || str_eq(line, "HTTP/1.1"))
			return parse_target(h, ret_reason);
		return refuse(505, ret_reason, "only HTTP/1.1 and HTTP/1.0 are spoken");
	}
	return refuse(400, ret_reason, "malformed request line");
}

static int take_length(struct http_head *h, struct str v, const char **ret_reason)
{
	for (size_t i = 0; i < v.len; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return refuse(400, ret_reason, "bad Content-Length");
		h->content_length = 10 * h->content_length + (unsigned)(v.p[i] - '0');
	}
	if (v.len == 0 || v.len > LENGTH_DIGITS_MAX)
		return refuse(400, ret_reason, "bad Content-Length");
	return 0;
}

static void take_connection(struct http_head *h, struct str list)
{
	struct str item;
	while (str_next(&list, ',', &item)) {
		if (same(str_trim(item), "close"))
			h->keep_alive = false;
		else if (same(str_trim(item), "keep-alive") && h->http10)
			h->keep_alive = true;
	}
}

// What the lines that steer the connection mean.
static int take_field(struct http_head *h, const struct http_field *f, struct seen *seen,
		      const char **ret_reason)
{
	if (same(f->name, "Content-Length")) {
		if (seen->length)
			return refuse(400, ret_reason, "Content-Length twice");
		seen->length = true;
		return take_length(h, f->value, ret_reason);
	}
	if (same(f->name, "Transfer-Encoding")) {
		if (seen->coding)
			return refuse(400, ret_reason, "Transfer-Encoding twice");
		seen->coding = h->chunked = true;
		return same(f->value, "chunked")
			       ? 0
			       : refuse(501, ret_reason, "unknown transfer coding");
	}
	if (same(f->name, "Host")) {
		if (seen->host)
			return refuse(400, ret_reason, "Host twice");
		seen->host = true;
	} else if (same(f->name, "Connection")) {
		take_connection(h, f->value);
	} else if (same(f->name, "Expect")) {
		if (!same(f->value, "100-continue"))
			return refuse(417, ret_reason, "unknown expectation");
		h->wants_continue = !h->http10;
	}
	return 0;
}

static int parse_field(struct str line, struct http_field *f, const char **ret_reason)
{
	if (*line.p == ' ' || *line.p == '\t')
		return refuse(400, ret_reason, "folded header line");
	const char *colon = memchr(line.p, ':', line.len);
	if (!colon)
		return refuse(400, ret_reason, "header line without a colon");
	f->name = (struct str){ line.p, (size_t)(colon - line.p) };
	if (!is_all_token(f->name))
		return refuse(400, ret_reason, "bad character in a header's name");
	f->value = str_trim((struct str){ colon + 1, line.len - f->name.len - 1 });
	for (size_t i = 0; i < f->value.len; i++) {
		unsigned char c = (unsigned char)f->value.p[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return refuse(400, ret_reason, "bad character in a header");
	}
	return 0;
}

int http_head_parse(const char *bytes, size_t len, struct http_head *ret,
		    const char **ret_reason)
{
	struct str rest = { bytes, len }, line = { "", 0 };
	struct seen seen = { .length = false };
	ret->content_length = 0;
	ret->n_fields = 0;
	ret->chunked = ret->wants_continue = false;
	rest.p += empty_line(bytes, len);
	rest.len -= empty_line(bytes, len);
	if (!next_line(&rest, &line))
		return refuse(400, ret_reason, "malformed request line");
	int status = parse_request_line(line, ret, ret_reason);
	ret->keep_alive = !status && !ret->http10;
	while (!status) {
		if (!next_line(&rest, &line))
			return refuse(400, ret_reason, "malformed line end");
		if (line.len == 0)
			break;
		if (ret->n_fields == HTTP_FIELDS_MAX)
			return refuse(431, ret_reason, "too many header lines");
		struct http_field *f = &ret->fields[ret->n_fields];
		status = parse_field(line, f, ret_reason);
		if (!status)
			status = take_field(ret, f, &seen, ret_reason);
		ret->n_fields++;
	}
	if (status)
		return status;
	if (rest.len > 0)
		return refuse(400, ret_reason, "malformed line end");
	if (seen.coding && (seen.length || ret->http10))
		return refuse(400, ret_reason, "ambiguous length of the body");
	if (!seen.host && !ret->http10)
		return refuse(400, ret_reason, "no Host header");
	return 0;
}
