// SPDX-License-Identifier: Apache-2.0
// The array of login methods.
#include <string.h>

#include "stores/auth/auth_keys.h"

static const struct auth_method *const methods[] = {
	&auth_kubernetes, &auth_jwt,      &auth_approle, &auth_token_file,
	&auth_cert,       &auth_userpass, &auth_ldap,
};

const struct auth_method *auth_at(size_t i)
{
	return i < ARRAY_LEN(methods) ? methods[i] : NULL;
}

const struct auth_method *auth_find(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_LEN(methods); i++)
		if (strcmp(methods[i]->name, name) == 0)
			return methods[i];
	return NULL;
}
