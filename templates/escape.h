// SPDX-License-Identifier: Apache-2.0
// Escapes of text for other languages, as html, js and urlquery give them.
#pragma once

#include "lib/base/buf.h"
#include "lib/base/str.h"

void escape_html(struct buf *out, struct str s);
void escape_js(struct buf *out, struct str s);
void escape_query(struct buf *out, struct str s);
