// SPDX-License-Identifier: Apache-2.0
// libcurl brings a printf of its own; this takes its place (lib/mprintf.c) and asks libc's,
// which the program holds anyway. What is formatted may be a secret: it goes through the
// allocator that the program has given to libcurl, and never over the stack.
#include "curl_setup.h"

#include <curl/mprintf.h>
#include <stdarg.h>
#include <stdio.h>

#include "curl_printf.h"
#include "curlx/dynbuf.h"
#undef vfprintf

// These two come last, by libcurl's own rule.
#include "curl_memory.h"
#include "memdebug.h"

const unsigned char Curl_ldigits[] = "0123456789abcdef";
const unsigned char Curl_udigits[] = "0123456789ABCDEF";

// As libcurl's: how much was stored, not how much there would have been.
int curl_mvsnprintf(char *to, size_t max, const char *format, va_list ap)
{
	int n = vsnprintf(to, max, format, ap);
	if (n < 0 || max == 0)
		return 0;
	return (size_t)n < max ? n : (int)(max - 1);
}

int curl_msnprintf(char *to, size_t max, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int n = curl_mvsnprintf(to, max, format, ap);
	va_end(ap);
	return n;
}

char *curl_mvaprintf(const char *format, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	char *text = n < 0 ? NULL : malloc((size_t)n + 1);
	if (text)
		vsnprintf(text, (size_t)n + 1, format, ap);
	return text;
}

char *curl_maprintf(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	char *text = curl_mvaprintf(format, ap);
	va_end(ap);
	return text;
}

int curlx_dyn_vprintf(struct dynbuf *to, const char *format, va_list ap)
{
	char *text = curl_mvaprintf(format, ap);
	CURLcode code = text ? curlx_dyn_add(to, text) : CURLE_OUT_OF_MEMORY;
	free(text);
	if (!code)
		return MERR_OK;
	curlx_dyn_free(to);
	return code == CURLE_TOO_LARGE ? MERR_TOO_LARGE : MERR_MEM;
}

int curl_mfprintf(FILE *to, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int n = vfprintf(to, format, ap);
	va_end(ap);
	return n;
}
