// SPDX-License-Identifier: Apache-2.0
// libcurl's multi handle on our loop: it says which descriptors and which time it waits
// for, we say what has happened. Callbacks of ours run only when libcurl has returned.
#include "lib/base/mem.h"
#include "lib/http/client_int.h"

struct http_socket {
	struct http_multi *multi;
	struct http_socket *next, **at;
	struct loop_fd *h;
};

static void action(struct http_multi *m, curl_socket_t fd, int events);

static void on_fd(void *ctx, int fd, unsigned events)
{
	const struct http_socket *s = ctx;
	int mask = (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
		   (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);
	// With an end or an error libcurl reads or writes, and learns the reason so.
	action(s->multi, fd, mask ? mask : CURL_CSELECT_ERR);
}

static void on_timer(void *ctx, struct loop_timer *t)
{
	(void)t;
	action(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static void socket_free(struct http_socket *s)
{
	if (s->next)
		s->next->at = s->at;
	*s->at = s->next;
	loop_fd_remove(s->h);
	mem_free(s);
}

static int socket_cb(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
	(void)easy;
	struct http_multi *m = ctx;
	struct http_socket *s = known;
	if (what == CURL_POLL_REMOVE) {
		if (s)
			socket_free(s);
		return 0;
	}
	unsigned events = (what & CURL_POLL_IN ? LOOP_READ : 0u) |
			  (what & CURL_POLL_OUT ? LOOP_WRITE : 0u);
	struct err e = ERR_INIT;
	if (s)
		return loop_fd_change(s->h, events, &e) ? 0 : -1;
	s = mem_alloc(sizeof(*s));
	s->multi = m;
	if (!loop_fd_add(m->loop, fd, events, on_fd, s, &s->h, &e)) {
		mem_free(s);
		return -1; // every call on this multi handle fails
	}
	s->next = m->sockets;
	s->at = &m->sockets;
	if (s->next)
		s->next->at = &s->next;
	m->sockets = s;
	curl_multi_assign(m->curl, fd, s);
	return 0;
}

static int timer_cb(CURLM *curl, long timeout_ms, void *ctx)
{
	(void)curl;
	struct http_multi *m = ctx;
	if (timeout_ms < 0)
		loop_timer_cancel(&m->timer);
	else
		loop_timer_in(m->loop, &m->timer, timeout_ms, on_timer, m);
	return 0;
}

// The handles that libcurl is through with.
static void reap(struct http_multi *m)
{
	int left;
	for (CURLMsg *msg; (msg = curl_multi_info_read(m->curl, &left));) {
		struct http_call *call = NULL;
		if (msg->msg != CURLMSG_DONE)
			continue;
		CURLcode code = msg->data.result; // msg goes with the next call
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		http_call_finished(call, code);
	}
}

// Callbacks may end any call: begin anew after each.
static void give_chunks(struct http_multi *m)
{
	for (struct http_call *call = m->active; call;) {
		if (call->chunk && call->got_body.len > 0) {
			http_call_give_chunk(call);
			call = m->active;
		} else {
			call = call->also;
		}
	}
}

static void action(struct http_multi *m, curl_socket_t fd, int events)
{
	int running;
	http_multi_ref(m); // callbacks may free the client
	CURLMcode code = curl_multi_socket_action(m->curl, fd, events, &running);
	give_chunks(m);
	reap(m);
	if (code != CURLM_OK && m->active) // new calls shall have a sound one
		http_client_drop_idle(m->active->client);
	while (code != CURLM_OK && m->active) {
		struct http_call *call = m->active;
		err_set(&call->error, ERR_LIMIT, 0,
			"the connection cannot be waited for: %s",
			curl_multi_strerror(code));
		http_call_finished(call, CURLE_FAILED_INIT);
	}
	http_multi_unref(m);
}

bool http_multi_new(struct loop *l, unsigned max_connections, struct http_multi **ret,
		    struct err *e)
{
	CURLM *curl = curl_multi_init();
	if (!curl)
		return err_set(e, ERR_LIMIT, 0, "libcurl: no descriptor left");
	struct http_multi *m = mem_alloc(sizeof(*m));
	*m = (struct http_multi){ .refs = 1, .loop = l, .curl = curl };
	curl_multi_setopt(curl, CURLMOPT_SOCKETFUNCTION, socket_cb);
	curl_multi_setopt(curl, CURLMOPT_SOCKETDATA, m);
	curl_multi_setopt(curl, CURLMOPT_TIMERFUNCTION, timer_cb);
	curl_multi_setopt(curl, CURLMOPT_TIMERDATA, m);
	curl_multi_setopt(curl, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	curl_multi_setopt(curl, CURLMOPT_MAXCONNECTS, (long)max_connections);
	curl_multi_setopt(curl, CURLMOPT_MAX_HOST_CONNECTIONS, (long)max_connections);
	*ret = m;
	return true;
}

struct http_multi *http_multi_ref(struct http_multi *m)
{
	m->refs++;
	return m;
}

void http_multi_unref(struct http_multi *m)
{
	if (!m || --m->refs > 0)
		return;
	curl_multi_cleanup(m->curl); // closes connections: may call back
	loop_timer_cancel(&m->timer);
	while (m->sockets)
		socket_free(m->sockets);
	mem_free(m);
}

bool http_multi_add(struct http_multi *m, struct http_call *call, struct err *e)
{
	CURLMcode code = curl_multi_add_handle(m->curl, call->easy);
	if (code != CURLM_OK)
		return err_set(e, ERR_BUG, 0, "libcurl: %s", curl_multi_strerror(code));
	call->multi = http_multi_ref(m);
	call->also = m->active;
	m->active = call;
	return true;
}

void http_multi_remove(struct http_call *call)
{
	struct http_multi *m = call->multi;
	if (!m)
		return;
	struct http_call **at = &m->active;
	while (*at != call)
		at = &(*at)->also;
	*at = call->also;
	curl_multi_remove_handle(m->curl, call->easy);
	call->multi = NULL;
	http_multi_unref(m);
}
