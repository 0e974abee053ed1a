// SPDX-License-Identifier: Apache-2.0
#include "lib/conf/store_type.h"

#include <string.h>

bool store_type_known(const char *type)
{
	static const char types[][16] = { "vault", "sealed", "sealedsecrets", "file" };
	for (size_t i = 0; type && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return !type;
}
