// SPDX-License-Identifier: Apache-2.0
// The option table for readers: --help, `ampoule options`, the README's tables.
#include <string.h>

#include "lib/base/str.h"
#include "lib/conf/options.h"

const char *options_type_name(const struct option_row *row)
{
	static const char *const names[] = {
		[OPTION_STRING] = "text",
		[OPTION_ID] = "name or number",
		[OPTION_TTL] = "duration",
		[OPTION_BOOL] = "boolean",
		[OPTION_BOOL_STRICT] = "boolean",
		[OPTION_DURATION] = "duration",
		[OPTION_MODE] = "mode",
		[OPTION_COUNT] = "number",
		[OPTION_NUMBER] = "number",
		[OPTION_REAL] = "number",
		[OPTION_LIST] = "list",
		[OPTION_ARGV] = "argument vector",
		[OPTION_WORD] = "word",
		[OPTION_LOG_LEVEL] = "word",
		[OPTION_LOG_FORMAT] = "word",
		[OPTION_NOTIFY] = "notifications",
		[OPTION_COMMAND] = "command",
		[OPTION_UNREAD] = "duration[:word]",
		[OPTION_WAIT] = "duration[:duration]",
		[OPTION_BLOCK] = "block",
		[OPTION_ANY] = "any",
		[OPTION_IGNORED] = "ignored",
	};
	return names[row->type];
}

void options_help(struct buf *to)
{
	for (const struct option_row *r = NULL; (r = options_next(r));)
		if (r->flag && r->type != OPTION_IGNORED)
			buf_printf(to, "  --%-18s %s\n", r->flag, r->help);
}

// The name under our prefix: its own, or the peer's without "agent-".
static const char *our_annotation(const struct option_row *r)
{
	if (r->annotation || !r->peer)
		return r->annotation;
	return str_starts(r->peer, "agent-") ? r->peer + strlen("agent-") : r->peer;
}

static void text_row(const struct option_row *r, struct buf *to)
{
	buf_printf(to, "  %-30s %s", r->key ? r->key : "", r->help);
	if (r->default_)
		buf_printf(to, " (%s)", r->default_);
	buf_putc(to, '\n');
	if (r->ignored)
		buf_printf(to, "  %-30s accepted, ignored: %s\n", "", r->ignored);
	if (our_annotation(r))
		buf_printf(to, "  %-30s ampoule.dev/%s\n", "", our_annotation(r));
	if (r->peer)
		buf_printf(to, "  %-30s vault.hashicorp.com/%s\n", "", r->peer);
	if (r->env)
		buf_printf(to, "  %-30s AMPOULE_%s%s\n", "", r->env,
			   r->env_own ? "" : ", also with BAO_ and VAULT_");
	if (r->flag)
		buf_printf(to, "  %-30s --%s\n", "", r->flag);
}

// How a stanza is opened; the others by their name.
static void put_title(const struct option_stanza_info *info, struct buf *to)
{
	if (info->block)
		buf_printf(to, "%s…}", info->block);
	else
		buf_puts(to, info->name[0] ? info->name : "top");
}

void options_text(struct buf *to)
{
	for (enum option_stanza s = 0; s < STANZA_COUNT; s++) {
		const struct option_stanza_info *info = options_stanza(s);
		put_title(info, to);
		buf_printf(to, "   %s\n", info->help);
		for (const struct option_row *r = NULL; (r = options_next(r));)
			if (r->stanza == s)
				text_row(r, to);
		buf_putc(to, '\n');
	}
}

// A '|' would end the cell.
static void put_cell(struct buf *to, const char *before, const char *text,
		     const char *after)
{
	buf_puts(to, before);
	for (; *text; text++) {
		if (*text == '|')
			buf_putc(to, '\\');
		buf_putc(to, *text);
	}
	buf_puts(to, after);
}

static void put_name(struct buf *to, const char *prefix, const char *name)
{
	if (!name)
		return;
	buf_printf(to, "`%s", prefix);
	put_cell(to, "", name, "` ");
}

static void markdown_row(const struct option_row *r, struct buf *to)
{
	buf_puts(to, "| ");
	put_name(to, "", r->key);
	put_cell(to, "| ", options_type_name(r), " | ");
	put_name(to, "", r->default_);
	put_cell(to, "| ", r->help, "");
	if (r->ignored)
		put_cell(to, "; accepted, ignored: ", r->ignored, "");
	buf_puts(to, " | ");
	put_name(to, "", our_annotation(r));
	buf_puts(to, "| ");
	put_name(to, "", r->peer);
	buf_puts(to, "| ");
	put_name(to, "--", r->flag);
	put_name(to, r->env_own ? "AMPOULE_" : "*_", r->env);
	buf_puts(to, "|\n");
}

static bool has_rows(enum option_stanza stanza)
{
	for (const struct option_row *r = NULL; (r = options_next(r));)
		if (r->stanza == stanza)
			return true;
	return false;
}

void options_markdown(struct buf *to)
{
	for (enum option_stanza s = 0; s < STANZA_COUNT; s++) {
		const struct option_stanza_info *info = options_stanza(s);
		if (!has_rows(s))
			continue;
		buf_puts(to, "**`");
		put_title(info, to);
		buf_printf(to,
			   "`** %s\n\n"
			   "| key | type | default | meaning | ampoule.dev/ | "
			   "vault.hashicorp.com/ | flag, environment |\n"
			   "|---|---|---|---|---|---|---|\n",
			   info->help);
		for (const struct option_row *r = NULL; (r = options_next(r));)
			if (r->stanza == s)
				markdown_row(r, to);
		buf_putc(to, '\n');
	}
}
