// SPDX-License-Identifier: Apache-2.0
// The templates of a configuration, and template files by themselves, as far as they can be
// judged without a store: every one is parsed.
#pragma once

#include "lib/conf/conf.h"

// Tells each error ("FILE: template 'NAME': NAME:LINE:COL: reason") and returns their number.
// Sources that are not on this machine are passed over: they belong to a pod.
unsigned check_templates(const char *path, const struct conf *c, conf_warn_fn *error,
			 void *ctx);

// Whether the name is one of a template file (*.tmpl, *.tpl, *.ctmpl).
bool check_is_template(const char *path);
// "FILE:LINE:COL: reason" when it is none.
MUST_CHECK bool check_template_file(const char *path, struct err *e);
