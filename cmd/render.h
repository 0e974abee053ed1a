// SPDX-License-Identifier: Apache-2.0
// The parts of `ampoule render`: comparing with an expected file, and the table of
// functions for the README.
#pragma once

#include <stdbool.h>

#include "lib/base/buf.h"

// Prints where `got` differs from `want`, line by line, to stdout; true when they are equal.
bool render_compare(const char *name, const struct buf *want, const struct buf *got);

// Prints the functions of the template language as Markdown.
void render_functions(void);
