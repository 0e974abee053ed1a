// SPDX-License-Identifier: Apache-2.0
// Ownership in one glance: a local resource is declared with its clean-up and a neutral
// value, so every early return is safe. TAKE() hands it on and leaves the neutral value.
//
//	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
//	AUTO_FREE char *s = mem_dup(...);
//	*ret = TAKE(s);
//
// Types define their own clean-up beside themselves (AUTO(buf_release) struct buf b = ...).
#pragma once

#include <stddef.h>

#define AUTO(fn) __attribute__((cleanup(fn)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))

// Defined in mem.c; they keep errno.
void auto_free_(void *pp);
void auto_close_(int *fd);

// Memory of mem_alloc() and friends; it is wiped when freed.
#define AUTO_FREE AUTO(auto_free_)
// The same clean-up under the name that says that the bytes are secret.
#define AUTO_WIPE AUTO(auto_free_)
#define AUTO_CLOSE AUTO(auto_close_)

// Gives a pointer away: yields it and leaves NULL behind.
#define TAKE(p)                                                                          \
	__extension__({                                                                  \
		__typeof__(p) taken_ = (p);                                              \
		(p) = NULL;                                                              \
		taken_;                                                                  \
	})

// The same for a descriptor, which leaves -1 behind.
#define TAKE_FD(fd)                                                                      \
	__extension__({                                                                  \
		int taken_ = (fd);                                                       \
		(fd) = -1;                                                               \
		taken_;                                                                  \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member)                                                  \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))
