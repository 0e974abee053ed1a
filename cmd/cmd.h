// SPDX-License-Identifier: Apache-2.0
// The words of `ampoule`: one function each, listed in main.c's table, from which help is
// printed. argv[0] is the word itself. The result is the exit code of the README's table.
#pragma once

enum { CMD_GOOD = 0, CMD_BAD = 1, CMD_USAGE = 2 };

int cmd_render(int argc, char **argv);
int cmd_seal(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_options(int argc, char **argv);
int cmd_inject(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_policy(int argc, char **argv);
int cmd_status(int argc, char **argv);
