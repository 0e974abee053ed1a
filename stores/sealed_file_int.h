// SPDX-License-Identifier: Apache-2.0
// What sealed_file.c and sealed_text.c share; for nobody else.
#pragma once

#include "stores/sealed_file.h"

// Puts the line at the end, order or not.
void sealed_file_append(struct sealed_file *f, struct sealed_line *take_line);
void sealed_file_sort(struct sealed_file *f);
