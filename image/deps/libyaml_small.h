// SPDX-License-Identifier: Apache-2.0
// libyaml's scanner works with macros of dozens of comparisons, each written out at every use.
// Included behind them (thirdparty.sh), this makes functions of the largest.
#define SMALL static __attribute__((noinline)) int

struct small_at {
	const yaml_char_t *pointer;
};

SMALL small_is_break(const yaml_char_t *p)
{
	struct small_at s = { p };
	return IS_BREAK_AT(s, 0);
}
#undef IS_BREAK_AT
#define IS_BREAK_AT(string, offset) small_is_break((string).pointer + (offset))

SMALL small_is_blankz(const yaml_char_t *p)
{
	struct small_at s = { p };
	return IS_BLANKZ_AT(s, 0);
}
#undef IS_BLANKZ_AT
#define IS_BLANKZ_AT(string, offset) small_is_blankz((string).pointer + (offset))

SMALL small_is_alpha(const yaml_char_t *p)
{
	struct small_at s = { p };
	return IS_ALPHA_AT(s, 0);
}
#undef IS_ALPHA_AT
#define IS_ALPHA_AT(string, offset) small_is_alpha((string).pointer + (offset))

SMALL small_cache(yaml_parser_t *parser, size_t length)
{
	return CACHE(parser, length);
}
#undef CACHE
#define CACHE(parser, length) small_cache(parser, length)

SMALL small_skip(yaml_parser_t *parser)
{
	SKIP(parser);
	return 1;
}
#undef SKIP
#define SKIP(parser) small_skip(parser)

SMALL small_skip_line(yaml_parser_t *parser)
{
	SKIP_LINE(parser);
	return 1;
}
#undef SKIP_LINE
#define SKIP_LINE(parser) small_skip_line(parser)

SMALL small_read(yaml_parser_t *parser, yaml_string_t *string)
{
	return READ(parser, (*string));
}
#undef READ
#define READ(parser, string) small_read(parser, &(string))

SMALL small_read_line(yaml_parser_t *parser, yaml_string_t *string)
{
	return READ_LINE(parser, (*string));
}
#undef READ_LINE
#define READ_LINE(parser, string) small_read_line(parser, &(string))

SMALL small_enqueue(yaml_parser_t *parser, const yaml_token_t *token)
{
	return ENQUEUE(parser, parser->tokens, *token);
}
#undef ENQUEUE
#define ENQUEUE(parser, queue, token) small_enqueue(parser, &(token)) // the one queue

SMALL small_string_init(yaml_parser_t *parser, yaml_string_t *string)
{
	return STRING_INIT(parser, *string, INITIAL_STRING_SIZE);
}
#undef STRING_INIT
#define STRING_INIT(parser, string, size) small_string_init(parser, &(string)) // one size

SMALL small_string_extend(yaml_parser_t *parser, yaml_string_t *string)
{
	return STRING_EXTEND(parser, *string);
}
#undef STRING_EXTEND
#define STRING_EXTEND(parser, string) small_string_extend(parser, &(string))

SMALL small_join(yaml_parser_t *parser, yaml_string_t *to, yaml_string_t *from)
{
	return JOIN(parser, *to, *from);
}
#undef JOIN
#define JOIN(parser, to, from) small_join(parser, &(to), &(from))
