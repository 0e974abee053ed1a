// SPDX-License-Identifier: Apache-2.0
// links: lib/tls
// One GET with libcurl alone, with and without tls_client_hook(), for the system tests.
//
//	tls_get [--no-hook] [--hold] [--tls 12|13|max12] [--cert FILE --key FILE] --ca FILE URL
//
// Prints the body; the exit status is libcurl's code (35: handshake, 60: certificate). With
// --hold the body is dropped, and the connection stays open until stdin ends ("held").
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/tls/tls_client_hook.h"

static CURLcode call_hook(CURL *easy UNUSED, void *ssl_ctx, void *ctx UNUSED)
{
	return tls_client_hook(ssl_ctx) ? CURLE_OK : CURLE_SSL_CONNECT_ERROR;
}

static size_t drop(char *bytes UNUSED, size_t size, size_t n, void *ctx UNUSED)
{
	return size * n;
}

static long version_of(const char *name)
{
	if (strcmp(name, "12") == 0)
		return CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2;
	if (strcmp(name, "13") == 0)
		return CURL_SSLVERSION_TLSv1_3;
	return CURL_SSLVERSION_MAX_TLSv1_2; // "max12"
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	char text[CURL_ERROR_SIZE] = "";
	bool hook = true, hold = false;
	mem_init(false);
	// libcurl on the wiping heap, as lib/http has it.
	if (!crypto_init(&e) || curl_global_init_mem(CURL_GLOBAL_ALL, mem_alloc, mem_free,
						     mem_realloc, mem_strdup, mem_calloc))
		return 1;
	CURL *c = curl_easy_init();
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_TIMEOUT, 20L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, text);
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		if (strcmp(argv[i], "--no-hook") == 0) {
			hook = false;
			continue;
		}
		if (strcmp(argv[i], "--hold") == 0) {
			curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drop);
			hold = true;
			continue;
		}
		if (argv[i][0] != '-')
			curl_easy_setopt(c, CURLOPT_URL, argv[i]);
		else if (strcmp(argv[i], "--ca") == 0)
			curl_easy_setopt(c, CURLOPT_CAINFO, value);
		else if (strcmp(argv[i], "--cert") == 0)
			curl_easy_setopt(c, CURLOPT_SSLCERT, value);
		else if (strcmp(argv[i], "--key") == 0)
			curl_easy_setopt(c, CURLOPT_SSLKEY, value);
		else if (strcmp(argv[i], "--tls") == 0)
			curl_easy_setopt(c, CURLOPT_SSLVERSION, version_of(value));
		i += argv[i][0] == '-';
	}
	if (hook)
		curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, call_hook);
	CURLcode rc = curl_easy_perform(c);
	if (rc)
		fprintf(stderr, "%s\n", text[0] ? text : curl_easy_strerror(rc));
	if (hold) {
		puts("held");
		fflush(stdout);
		getchar();
	}
	curl_easy_cleanup(c);
	curl_global_cleanup();
	return (int)rc;
}
