// SPDX-License-Identifier: Apache-2.0
// The names of the ready-made templates, for those who never link the templates themselves (the
// webhook). A unit test holds them against templates/stock.
#pragma once

// Sorted; NULL-ended.
extern const char *const conf_stock_names[];
