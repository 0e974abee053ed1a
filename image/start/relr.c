// SPDX-License-Identifier: Apache-2.0
// The entry of the release executables: packed relative relocations.
//
// A position-independent executable has a relocation for each pointer in its tables, 24
// bytes each: a tenth of ours. Packed (DT_RELR, `ld -z pack-relative-relocs`) they take a
// fiftieth of that, but the start code of musl 1.2.3 does not know them (1.2.4 does). So
// they are applied here, before musl's own _start runs. Nothing is set up yet: no stack
// protector, no function of libc, no pointer that would itself need relocation.
// Source: the generic ABI's section on DT_RELR (SHT_RELR).
#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#ifndef DT_RELR
#define DT_RELRSZ 35
#define DT_RELR 36
#endif

#define HIDDEN __attribute__((visibility("hidden")))

extern HIDDEN const Elf64_Ehdr __ehdr_start;
extern HIDDEN const Elf64_Dyn _DYNAMIC[];
HIDDEN void relr_apply(void);

#if defined(__x86_64__)
__asm__(".text\n.global relr_start\n.hidden relr_start\n.type relr_start,@function\n"
	"relr_start:\n"
	"	xor %ebp, %ebp\n"
	"	call relr_apply\n"
	"	jmp _start\n");
#elif defined(__aarch64__)
__asm__(".text\n.global relr_start\n.hidden relr_start\n.type relr_start,%function\n"
	"relr_start:\n"
	"	mov x29, #0\n"
	"	bl relr_apply\n"
	"	b _start\n");
#else
#error "relr_start is not written for this machine"
#endif

// An even entry names a word to relocate; an odd one is a map of the 63 words behind it.
__attribute__((used, no_stack_protector)) void relr_apply(void)
{
	enum { BITS = 8 * sizeof(uint64_t) - 1 };
	uintptr_t base = (uintptr_t)&__ehdr_start; // linked at zero
	const uint64_t *entry = NULL;
	size_t size = 0;
	for (const Elf64_Dyn *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_RELR)
			entry = (const uint64_t *)(base + d->d_un.d_ptr);
		else if (d->d_tag == DT_RELRSZ)
			size = d->d_un.d_val;
	}
	uint64_t *where = NULL;
	for (const uint64_t *end = entry + size / sizeof(*entry); entry < end; entry++) {
		if ((*entry & 1) == 0) {
			where = (uint64_t *)(base + *entry);
			*where++ += base;
			continue;
		}
		uint64_t *word = where;
		for (uint64_t map = *entry >> 1; map; map >>= 1, word++)
			if (map & 1)
				*word += base;
		where += BITS;
	}
}
