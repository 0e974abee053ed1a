// SPDX-License-Identifier: Apache-2.0
// URLs by libcurl's own parser, so that what is checked is what is asked.
#include <string.h>

#include "lib/base/mem.h"
#include "lib/http/client_int.h"

static void url_cleanup(CURLU **u)
{
	curl_url_cleanup(*u);
}

void http_url_release(struct http_url *u)
{
	mem_free(u->text);
	mem_free(u->origin);
	mem_free(u->host);
	mem_free(u->name);
	mem_free(u->port);
	*u = (struct http_url){ 0 };
}

// libcurl's strings come from our heap (curl_global_init_mem), so mem_free() takes them.
static char *part(CURLU *u, CURLUPart what, unsigned flags)
{
	char *s = NULL;
	return curl_url_get(u, what, &s, flags) == CURLUE_OK ? s : NULL;
}

static bool has(CURLU *u, CURLUPart what)
{
	AUTO_FREE char *s = part(u, what, 0);
	return s != NULL;
}

static bool take_parts(CURLU *u, struct http_url *ret, struct err *e)
{
	AUTO_FREE char *scheme = part(u, CURLUPART_SCHEME, 0);
	bool http = scheme && strcmp(scheme, "http") == 0;
	ret->https = scheme && strcmp(scheme, "https") == 0;
	ret->host = part(u, CURLUPART_HOST, 0);
	ret->port = part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	ret->text = part(u, CURLUPART_URL, 0);
	if ((!http && !ret->https) || !ret->host || !ret->port || !ret->text)
		return err_set(e, ERR_CONFIG, 0,
			       "the address must begin with http:// or https://");
	if (has(u, CURLUPART_USER) || has(u, CURLUPART_PASSWORD))
		return err_set(e, ERR_CONFIG, 0,
			       "an address with a user or password is not allowed");
	for (char *p = ret->host; *p; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
	size_t bracket = ret->host[0] == '[';
	ret->name = mem_strndup(ret->host + bracket, strlen(ret->host) - 2 * bracket);
	ret->origin = mem_printf("%s://%s:%s", scheme, ret->host, ret->port);
	return true;
}

static bool parse(CURLU *u, struct http_url *ret, struct err *e)
{
	struct http_url made = { 0 };
	if (!take_parts(u, &made, e)) {
		http_url_release(&made);
		return false;
	}
	*ret = made;
	return true;
}

static bool refused(CURLUcode code, struct err *e)
{
	if (code == CURLUE_UNSUPPORTED_SCHEME || code == CURLUE_BAD_SCHEME)
		return err_set(e, ERR_CONFIG, 0,
			       "the address must begin with http:// or https://");
	return err_set(e, ERR_CONFIG, 0, "the address is no URL: %s",
		       curl_url_strerror(code));
}

bool http_url_parse(const char *text, struct http_url *ret, struct err *e)
{
	AUTO(url_cleanup) CURLU *u = curl_url();
	CURLUcode code = *text ? curl_url_set(u, CURLUPART_URL, text, CURLU_PATH_AS_IS)
			       : CURLUE_MALFORMED_INPUT;
	return code == CURLUE_OK ? parse(u, ret, e) : refused(code, e);
}

bool http_url_follow(const struct http_url *base, const char *location,
		     struct http_url *ret, struct err *e)
{
	AUTO(url_cleanup) CURLU *u = curl_url();
	CURLUcode code = curl_url_set(u, CURLUPART_URL, base->text, CURLU_PATH_AS_IS);
	if (code == CURLUE_OK)
		code = curl_url_set(u, CURLUPART_URL, location, CURLU_PATH_AS_IS);
	if (code == CURLUE_OK ? parse(u, ret, e) : refused(code, e))
		return true;
	return err_wrap(e, "redirects, but");
}

char *http_url_with_host(const struct http_url *url, const char *host)
{
	AUTO(url_cleanup) CURLU *u = curl_url();
	if (curl_url_set(u, CURLUPART_URL, url->text, CURLU_PATH_AS_IS) != CURLUE_OK ||
	    curl_url_set(u, CURLUPART_HOST, host, 0) != CURLUE_OK)
		return NULL;
	return part(u, CURLUPART_URL, 0);
}
