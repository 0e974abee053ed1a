// SPDX-License-Identifier: Apache-2.0
// Addresses to listen at.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/http/server_int.h"

enum { BACKLOG = 512, HOST_MAX = 64 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

void http_listener_free(struct http_listener *l)
{
	if (!l)
		return;
	struct stat st;
	if (l->path && !l->keep_path && l->ino && lstat(l->path, &st) == 0 &&
	    st.st_dev == l->dev && st.st_ino == l->ino)
		unlink(l->path);
	loop_fd_remove(l->handle);
	if (l->fd >= 0)
		close(l->fd);
	mem_free(l->path);
	mem_free(l);
}

static void on_ready(void *ctx, int fd, unsigned events)
{
	struct http_listener *l = ctx;
	(void)fd, (void)events;
	http_server_accept(l->server, l);
}

static bool open_socket(struct http_listener *l, int family, struct err *e)
{
	l->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return l->fd >= 0 || err_set(e, ERR_CONFIG, errno, "make a socket");
}

static bool finish(struct http_listener *l, const char *address, struct err *e)
{
	struct http_server *s = l->server;
	if (listen(l->fd, BACKLOG) != 0)
		return err_set(e, ERR_CONFIG, errno, "listen at '%s'", address);
	if (!loop_fd_add(s->loop, l->fd, LOOP_READ, on_ready, l, &l->handle, e))
		return false;
	l->next = s->listeners;
	s->listeners = l;
	return true;
}

// --- unix sockets

// Whether the path is free now: a socket at which nobody listens goes.
static bool clear_path(int fd, const union address *at, struct err *e)
{
	const char *path = at->un.sun_path;
	struct stat st;
	if (lstat(path, &st) != 0)
		return true;
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_CONFIG, 0, "'%s' exists and is no socket", path);
	if (connect(fd, &at->any, sizeof(at->un)) == 0 || errno == EAGAIN)
		return err_set(e, ERR_CONFIG, 0, "another process listens at '%s'", path);
	if (unlink(path) != 0 && errno != ENOENT)
		return err_set(e, ERR_CONFIG, errno, "replace socket '%s'", path);
	return true;
}

static bool listen_unix(struct http_listener *l, const char *path, unsigned mode,
			struct err *e)
{
	union address at = { .un.sun_family = AF_UNIX };
	size_t len = strlen(path);
	if (len >= sizeof(at.un.sun_path))
		return err_set(e, ERR_CONFIG, 0, "socket '%s' is longer than %zu bytes",
			       path, sizeof(at.un.sun_path) - 1);
	memcpy(at.un.sun_path, path, len + 1);
	l->path = mem_strdup(path);
	if (!open_socket(l, AF_UNIX, e) || !clear_path(l->fd, &at, e))
		return false;
	mode_t old = umask(0777 & ~(mode ? mode : 0600u));
	int rc = bind(l->fd, &at.any, sizeof(at.un));
	int cause = errno;
	umask(old);
	if (rc != 0)
		return err_set(e, ERR_CONFIG, cause, "listen at '%s'", path);
	struct stat st;
	if (lstat(path, &st) == 0) {
		l->dev = st.st_dev;
		l->ino = st.st_ino;
	}
	return finish(l, path, e);
}

// --- TCP

// "HOST:PORT", "[HOST]:PORT"; the port's digits are at *ret_port.
static bool split(const char *address, char host[static HOST_MAX], uint16_t *ret_port,
		  struct err *e)
{
	const char *colon = strrchr(address, ':');
	struct str h = { address, colon ? (size_t)(colon - address) : 0 };
	uint64_t port = 0;
	if (!colon || !str_uint64(colon + 1, &port, NULL) || port > 65535)
		return err_set(e, ERR_CONFIG, 0,
			       "address '%s' needs the form HOST:PORT with a port of 0 "
			       "to 65535, or unix:///PATH",
			       address);
	if (h.len >= 2 && h.p[0] == '[' && h.p[h.len - 1] == ']')
		h = (struct str){ h.p + 1, h.len - 2 };
	if (h.len >= HOST_MAX)
		return err_set(e, ERR_CONFIG, 0, "host of '%s' is too long", address);
	if (h.len)
		memcpy(host, h.p, h.len);
	host[h.len] = '\0';
	*ret_port = (uint16_t)port;
	return true;
}

static bool to_address(const char *host, uint16_t port, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	if (inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(port);
		return true;
	}
	memset(ret, 0, sizeof(*ret));
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons(port);
	return inet_pton(AF_INET6, *host ? host : "::", &ret->v6.sin6_addr) == 1;
}

static void learn_port(struct http_listener *l)
{
	union address a;
	socklen_t len = sizeof(a);
	if (getsockname(l->fd, &a.any, &len) == 0)
		l->port = ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port
							   : a.v6.sin6_port);
}

static bool listen_tcp(struct http_listener *l, const char *address, bool ipv6_only,
		       struct err *e)
{
	char host[HOST_MAX];
	uint16_t port = 0;
	union address a;
	if (!split(address, host, &port, e))
		return false;
	if (!to_address(host, port, &a))
		return err_set(e, ERR_CONFIG, 0,
			       "address '%s': the host must be an IP address or "
			       "'localhost'",
			       address);
	struct err no_v6 = ERR_INIT;
	bool open = open_socket(l, a.any.sa_family, &no_v6);
	if (!open && strcmp(*host ? host : "::", "::") == 0) { // a kernel without IPv6
		(void)to_address("0.0.0.0", port, &a);
		open = open_socket(l, AF_INET, e);
	}
	if (!open)
		return err_set(e, ERR_CONFIG, 0, "address '%s': %s", address, no_v6.text);
	int yes = 1, only = ipv6_only;
	(void)!setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (a.any.sa_family == AF_INET6)
		(void)!setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	socklen_t len = a.any.sa_family == AF_INET ? sizeof(a.v4) : sizeof(a.v6);
	if (bind(l->fd, &a.any, len) != 0)
		return err_set(e, ERR_CONFIG, errno, "listen at '%s'", address);
	learn_port(l);
	return finish(l, address, e);
}

bool http_server_listen(struct http_server *s, const char *address,
			const struct http_listen_opts *o, struct err *e)
{
	const struct http_listen_opts none = { .mode = 0 };
	struct http_listener *l = mem_alloc(sizeof(*l));
	o = o ? o : &none;
	l->server = s;
	l->fd = -1;
	l->keep_path = o->keep_socket;
	bool ok = str_starts(address, "unix://")
			  ? listen_unix(l, address + strlen("unix://"), o->mode, e)
		  : *address == '/' ? listen_unix(l, address, o->mode, e)
				    : listen_tcp(l, address, o->ipv6_only, e);
	if (!ok)
		http_listener_free(l);
	return ok;
}

unsigned http_server_port(const struct http_server *s)
{
	for (const struct http_listener *l = s->listeners; l; l = l->next)
		if (l->port)
			return l->port;
	return 0;
}
