// SPDX-License-Identifier: Apache-2.0
// Random bytes and comparison: the same for both TLS libraries.
#include "lib/crypto/crypto.h"

#include <errno.h>
#include <sys/random.h>

// The kernel's generator and no state of our own: nothing to seed, nothing that a fork or a
// restored snapshot could repeat.
bool crypto_random(void *ret, size_t len, struct err *e)
{
	unsigned char *p = ret;
	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, ERR_BUG, errno, "random bytes");
		p += n;
		len -= (size_t)n;
	}
	return true;
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char diff = 0;
	for (size_t i = 0; i < len; i++)
		diff |= (unsigned char)(x[i] ^ y[i]);
	return diff == 0;
}
