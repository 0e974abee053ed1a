// SPDX-License-Identifier: Apache-2.0
// The ready-made templates, as templates/stock/embed.sh writes them into C. Their public
// face is tmpl_stock() in template.h.
#pragma once

struct tmpl_stock_text {
	const char *name, *text;
};

// Sorted by name; ends with a row without a name.
extern const struct tmpl_stock_text tmpl_stock_texts[];
