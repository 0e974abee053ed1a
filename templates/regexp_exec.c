// SPDX-License-Identifier: Apache-2.0
// The machine: all threads of the program run in step over the text, in order of priority,
// each instruction at most once a place. Hence time is linear in text × program.
#include <string.h>

#include "templates/regexp_int.h"
#include "templates/unicode.h"

enum { MACHINE_MAX = 4 * 1024 * 1024 }; // slots of captures in all

struct thread_list {
	uint32_t *dense; // instructions that wait for a rune, by priority
	size_t n;
	size_t *caps; // n_slots for each
};

struct regexp_machine {
	struct thread_list now, next;
	uint32_t *seen; // the mark of the last place where an instruction was reached
	uint32_t mark;
	size_t slots;    // 0 when nobody asks for groups
	uint32_t *stack; // of add(): instruction, or restore of a slot
	size_t *saved;
	size_t *caps; // of the thread that is being added
	size_t *best;
	bool matched;
};

struct place {
	struct str s;
	size_t pos;
	uint32_t before, after; // runes; END_OF_TEXT
};

#define END_OF_TEXT UINT32_MAX
#define RESTORE (UINT32_C(1) << 31) // an entry of the stack that restores a slot

static bool word(uint32_t r)
{
	return r == '_' || (r >= '0' && r <= '9') || (r >= 'A' && r <= 'Z') ||
	       (r >= 'a' && r <= 'z');
}

static bool holds(enum regexp_assert kind, const struct place *at)
{
	switch (kind) {
	case ASSERT_LINE_START:
		return at->before == END_OF_TEXT || at->before == '\n';
	case ASSERT_LINE_END:
		return at->after == END_OF_TEXT || at->after == '\n';
	case ASSERT_TEXT_START:
		return at->before == END_OF_TEXT;
	case ASSERT_TEXT_END:
		return at->after == END_OF_TEXT;
	case ASSERT_WORD:
		return word(at->before) != word(at->after);
	case ASSERT_NOT_WORD:
		return word(at->before) == word(at->after);
	}
	return false;
}

// Follows all that needs no rune from pc on. A stack in place of recursion: an entry is an
// instruction to follow, or (top bit) a slot to restore.
static void add(struct regexp *re, struct thread_list *list, uint32_t pc,
		const struct place *at)
{
	struct regexp_machine *m = re->machine;
	size_t n = 0;
	m->stack[n] = pc;
	m->saved[n++] = 0;
	while (n) {
		uint32_t i = m->stack[--n];
		if (i & RESTORE) {
			m->caps[i & ~RESTORE] = m->saved[n];
			continue;
		}
		if (m->seen[i] == m->mark)
			continue;
		m->seen[i] = m->mark;
		const struct regexp_inst *inst = &re->insts[i];
		switch (inst->op) {
		case OP_FAIL:
			break;
		case OP_SPLIT:
			m->stack[n++] = inst->out1;
			m->stack[n++] = inst->out;
			break;
		case OP_NOP:
			m->stack[n++] = inst->out;
			break;
		case OP_ASSERT:
			if (holds(inst->assert, at))
				m->stack[n++] = inst->out;
			break;
		case OP_SAVE:
			if (inst->slot < m->slots) {
				m->stack[n] = inst->slot | RESTORE;
				m->saved[n++] = m->caps[inst->slot];
				m->caps[inst->slot] = at->pos;
			}
			m->stack[n++] = inst->out;
			break;
		default:
			if (m->slots)
				memcpy(list->caps + list->n * m->slots, m->caps,
				       m->slots * sizeof(size_t));
			list->dense[list->n++] = i;
			break;
		}
	}
}

static bool takes(const struct regexp_inst *inst, uint32_t r)
{
	switch (inst->op) {
	case OP_RUNE:
		return inst->rune == r;
	case OP_CLASS:
		return class_has(inst->class, r);
	case OP_ANY:
		return true;
	case OP_ANY_NOT_NL:
		return r != '\n';
	default:
		return false;
	}
}

// Runs all threads over the rune at->after; `there` is the place behind it.
static void step(struct regexp *re, const struct place *at, const struct place *there)
{
	struct regexp_machine *m = re->machine;
	m->mark++;
	m->next.n = 0;
	for (size_t t = 0; t < m->now.n; t++) {
		const struct regexp_inst *inst = &re->insts[m->now.dense[t]];
		const size_t *caps = m->now.caps + t * m->slots;
		if (inst->op == OP_MATCH) {
			m->matched = true;
			if (m->slots) {
				memcpy(m->best, caps, m->slots * sizeof(size_t));
				m->best[1] = at->pos;
			}
			return; // the threads behind have a lower priority
		}
		if (at->after == END_OF_TEXT || !takes(inst, at->after))
			continue;
		if (m->slots)
			memcpy(m->caps, caps, m->slots * sizeof(size_t));
		add(re, &m->next, inst->out, there);
	}
}

static bool make_machine(struct regexp *re, size_t slots)
{
	struct regexp_machine *m = re->machine;
	struct arena *a = re->arena;
	if (m && m->slots >= slots)
		return true;
	if ((slots + 1) * re->n > MACHINE_MAX)
		return false;
	m = arena_alloc(a, sizeof(*m));
	m->slots = slots;
	m->now.dense = arena_calloc(a, re->n, sizeof(uint32_t));
	m->next.dense = arena_calloc(a, re->n, sizeof(uint32_t));
	m->now.caps = arena_calloc(a, re->n * slots + 1, sizeof(size_t));
	m->next.caps = arena_calloc(a, re->n * slots + 1, sizeof(size_t));
	m->seen = arena_calloc(a, re->n, sizeof(uint32_t));
	// An instruction is followed once, and pushes two entries at most.
	m->stack = arena_calloc(a, 2 * re->n + 2, sizeof(uint32_t));
	m->saved = arena_calloc(a, 2 * re->n + 2, sizeof(size_t));
	m->caps = arena_calloc(a, slots + 1, sizeof(size_t));
	m->best = arena_calloc(a, slots + 1, sizeof(size_t));
	re->machine = m;
	return true;
}

static struct place place_at(struct str s, size_t pos, size_t *ret_width)
{
	struct place p = { s, pos, END_OF_TEXT, END_OF_TEXT };
	size_t width = 0;
	*ret_width = 0;
	if (pos > 0)
		p.before = rune_decode_last(s.p, pos, &width);
	if (pos < s.len)
		p.after = rune_decode(s.p + pos, s.len - pos, ret_width);
	return p;
}

static bool run(struct regexp *re, struct str s, size_t from, struct regexp_budget *b)
{
	struct regexp_machine *m = re->machine;
	size_t width = 0;
	struct place at = place_at(s, from, &width);
	m->matched = false;
	m->now.n = 0;
	m->mark++;
	for (;;) {
		if (!m->matched) { // a new start, of the lowest priority
			for (size_t i = 0; i < m->slots; i++)
				m->caps[i] = SIZE_MAX;
			if (m->slots)
				m->caps[0] = at.pos;
			add(re, &m->now, re->start, &at);
		}
		if (m->now.n == 0 && m->matched)
			return true;
		unsigned long cost = m->now.n + 1;
		if (b->left < cost) {
			b->failed = true;
			return false;
		}
		b->left -= cost;
		size_t next_width = 0;
		struct place there = { s, at.pos + width, at.after, END_OF_TEXT };
		if (there.pos < s.len)
			there.after = rune_decode(s.p + there.pos, s.len - there.pos,
						  &next_width);
		step(re, &at, &there);
		struct thread_list swap = m->now;
		m->now = m->next;
		m->next = swap;
		if (at.after == END_OF_TEXT ||
		    (m->matched && (m->now.n == 0 || !m->slots)))
			return m->matched;
		at = there;
		width = next_width;
	}
}

bool regexp_match(struct regexp *re, struct str s, struct regexp_budget *b)
{
	if (re->machine) { // made for groups: they are not wanted now
		size_t slots = re->machine->slots;
		re->machine->slots = 0;
		bool ok = run(re, s, 0, b);
		re->machine->slots = slots;
		return ok;
	}
	if (!make_machine(re, 0)) {
		b->failed = true;
		return false;
	}
	return run(re, s, 0, b);
}

bool regexp_find(struct regexp *re, struct str s, size_t from, size_t *caps,
		 struct regexp_budget *b)
{
	size_t slots = 2 * re->groups;
	if (!make_machine(re, slots)) {
		b->failed = true;
		return false;
	}
	if (!run(re, s, from, b))
		return false;
	memcpy(caps, re->machine->best, slots * sizeof(size_t));
	return true;
}
