// SPDX-License-Identifier: Apache-2.0
// The tree of a regular expression to a program: fragments whose open ends are patched when
// what follows is known. Counted repeats are written out, which the limits bound.
#include "templates/regexp_int.h"

// Open ends of a fragment: a list threaded through the instructions. An end is named by
// instruction << 1 | which of its two outs; 0 ends the list (instruction 0 is OP_FAIL).
struct ends {
	uint32_t head, tail;
};

struct fragment {
	uint32_t start; // 0: matches nothing
	struct ends ends;
	bool nullable;
};

struct compiler {
	struct regexp *re;
	bool full;
};

static uint32_t emit(struct compiler *c, enum regexp_op op)
{
	struct regexp *re = c->re;
	if (re->n == REGEXP_INSTS_MAX) {
		c->full = true;
		return (uint32_t)re->n - 1;
	}
	if (re->n == re->cap) {
		re->cap = re->cap ? re->cap * 2 : 16;
		re->insts = arena_grow(re->arena, re->insts, re->n, re->cap,
				       sizeof(*re->insts));
	}
	re->insts[re->n].op = op;
	return (uint32_t)re->n++;
}

static uint32_t *end_of(struct compiler *c, uint32_t end)
{
	struct regexp_inst *i = &c->re->insts[end >> 1];
	return end & 1 ? &i->out1 : &i->out;
}

static void patch(struct compiler *c, struct ends ends, uint32_t to)
{
	while (ends.head && !c->full) {
		uint32_t *slot = end_of(c, ends.head);
		ends.head = *slot;
		*slot = to;
	}
}

static struct ends join(struct compiler *c, struct ends a, struct ends b)
{
	if (!a.head)
		return b;
	if (!b.head || c->full)
		return a;
	*end_of(c, a.tail) = b.head;
	return (struct ends){ a.head, b.tail };
}

static struct ends one_end(uint32_t inst, unsigned which)
{
	uint32_t end = inst << 1 | which;
	return (struct ends){ end, end };
}

static struct fragment single(struct compiler *c, enum regexp_op op, bool nullable)
{
	uint32_t i = emit(c, op);
	return (struct fragment){ i, one_end(i, 0), nullable };
}

static struct fragment sequence(struct compiler *c, struct fragment a, struct fragment b)
{
	if (!a.start || !b.start)
		return (struct fragment){ .start = 0 };
	patch(c, a.ends, b.start);
	return (struct fragment){ a.start, b.ends, a.nullable && b.nullable };
}

static struct fragment either(struct compiler *c, struct fragment a, struct fragment b)
{
	if (!a.start)
		return b;
	if (!b.start)
		return a;
	uint32_t i = emit(c, OP_SPLIT);
	c->re->insts[i].out = a.start;
	c->re->insts[i].out1 = b.start;
	return (struct fragment){ i, join(c, a.ends, b.ends), a.nullable || b.nullable };
}

static struct fragment optional(struct compiler *c, struct fragment a, bool lazy)
{
	uint32_t i = emit(c, OP_SPLIT);
	struct ends skip = one_end(i, !lazy);
	if (lazy)
		c->re->insts[i].out1 = a.start;
	else
		c->re->insts[i].out = a.start;
	return (struct fragment){ i, join(c, skip, a.ends), true };
}

// Where a loop begins and ends: a SPLIT into the body or out.
static struct fragment loop(struct compiler *c, struct fragment a, bool lazy)
{
	uint32_t i = emit(c, OP_SPLIT);
	if (lazy)
		c->re->insts[i].out1 = a.start;
	else
		c->re->insts[i].out = a.start;
	patch(c, a.ends, i);
	return (struct fragment){ i, one_end(i, !lazy), true };
}

static struct fragment plus(struct compiler *c, struct fragment a, bool lazy)
{
	struct fragment l = loop(c, a, lazy);
	return (struct fragment){ a.start, l.ends, a.nullable };
}

static struct fragment star(struct compiler *c, struct fragment a, bool lazy)
{
	// (x+)? keeps the order of priorities right where x can be empty.
	return a.nullable ? optional(c, plus(c, a, lazy), lazy) : loop(c, a, lazy);
}

static struct fragment compile(struct compiler *c, const struct regexp_node *n);

// x{min,max} as x x x (x (x)?)?
static struct fragment repeat(struct compiler *c, const struct regexp_node *n)
{
	const struct regexp_node *sub = n->subs[0];
	struct fragment all = { .start = 0 };
	bool have = false;
	if (n->max < 0 && n->min == 0)
		return star(c, compile(c, sub), n->lazy);
	if (n->max == 0 || sub->kind == RE_EMPTY)
		return single(c, OP_NOP, true);
	for (int i = 0; i < n->min && !c->full; i++) {
		struct fragment f = compile(c, sub);
		if (n->max < 0 && i == n->min - 1)
			f = plus(c, f, n->lazy);
		all = have ? sequence(c, all, f) : f;
		have = true;
	}
	if (n->max <= n->min)
		return all;
	struct fragment tail = optional(c, compile(c, sub), n->lazy);
	for (int i = n->min + 1; i < n->max && !c->full; i++)
		tail = optional(c, sequence(c, compile(c, sub), tail), n->lazy);
	return have ? sequence(c, all, tail) : tail;
}

static struct fragment group(struct compiler *c, const struct regexp_node *n)
{
	struct fragment open = single(c, OP_SAVE, true);
	c->re->insts[open.start].slot = (uint32_t)n->group * 2;
	struct fragment sub = compile(c, n->subs[0]);
	struct fragment close = single(c, OP_SAVE, true);
	c->re->insts[close.start].slot = (uint32_t)n->group * 2 + 1;
	return sequence(c, sequence(c, open, sub), close);
}

static struct fragment compile(struct compiler *c, const struct regexp_node *n)
{
	struct fragment f = { .start = 0 };
	switch (n->kind) {
	case RE_EMPTY:
		return single(c, OP_NOP, true);
	case RE_RUNE:
		f = single(c, OP_RUNE, false);
		c->re->insts[f.start].rune = n->rune;
		return f;
	case RE_CLASS:
		if (!n->class->n)
			return f;
		f = single(c, OP_CLASS, false);
		c->re->insts[f.start].class = n->class;
		return f;
	case RE_ANY:
		return single(c, OP_ANY, false);
	case RE_ANY_NOT_NL:
		return single(c, OP_ANY_NOT_NL, false);
	case RE_ASSERT:
		f = single(c, OP_ASSERT, true);
		c->re->insts[f.start].assert = n->assert;
		return f;
	case RE_GROUP:
		return group(c, n);
	case RE_REPEAT:
		return repeat(c, n);
	case RE_CONCAT:
	case RE_ALTERNATE:
		f = compile(c, n->subs[0]);
		for (size_t i = 1; i < n->n && !c->full; i++) {
			struct fragment g = compile(c, n->subs[i]);
			f = n->kind == RE_CONCAT ? sequence(c, f, g) : either(c, f, g);
		}
		return f;
	}
	return f;
}

bool regexp_program(struct regexp *re, const struct regexp_node *root, struct err *e)
{
	struct compiler c = { .re = re };
	(void)emit(&c, OP_FAIL);
	struct fragment f = compile(&c, root);
	uint32_t match = emit(&c, OP_MATCH);
	if (c.full)
		return err_set(e, ERR_LIMIT, 0, "regular expression: too large");
	patch(&c, f.ends, match);
	re->start = f.start;
	return true;
}

bool regexp_compile(struct arena *a, struct str expr, struct regexp **ret, struct err *e)
{
	struct regexp_node *root = NULL;
	struct regexp *re = arena_alloc(a, sizeof(*re));
	re->arena = a;
	if (!regexp_parse(re, expr, &root, e) || !regexp_program(re, root, e))
		return false;
	*ret = re;
	return true;
}

size_t regexp_groups(const struct regexp *re)
{
	return re->groups;
}
