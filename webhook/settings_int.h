// SPDX-License-Identifier: Apache-2.0
// Parts of the reader of struct settings.
#pragma once

#include "lib/base/mem.h"
#include "lib/conf/pool.h"
#include "webhook/settings.h"

struct node;

void settings_kube_init(struct settings_kube *k);
MUST_CHECK bool settings_kube_read(struct pool *p, const struct node *root,
				   struct settings *s, struct err *e);
void settings_kube_fixed(const struct settings_kube *begun,
			 const struct settings_kube *now, settings_tell *tell);
