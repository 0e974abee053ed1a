// SPDX-License-Identifier: Apache-2.0
// The array of stores: a new store is a file and a row.
#include <string.h>

#include "stores/store.h"

extern const struct store_ops store_vault, store_sealed, store_sealedsecrets, store_file;

static const struct store_ops *const stores[] = {
	&store_vault,
	&store_sealed,
	&store_sealedsecrets,
	&store_file,
};

bool store_fault_is_whole(const struct err *e)
{
	if (e->kind != ERR_RETRY)
		return false;
	switch (e->cause) {
	case 412: // a replica that lags
	case 429: // too many requests
	case 472: // standbys
	case 473:
		return true;
	default:
		return e->cause < 200 || e->cause > 500;
	}
}

const struct store_ops *store_type(size_t i)
{
	return i < ARRAY_LEN(stores) ? stores[i] : NULL;
}

const struct store_ops *store_find(const char *type)
{
	for (size_t i = 0; type && i < ARRAY_LEN(stores); i++)
		if (strcmp(stores[i]->type, type) == 0)
			return stores[i];
	return NULL;
}
