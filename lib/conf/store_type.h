// SPDX-License-Identifier: Apache-2.0
// Which types of store this build's agent has, for those who do not link the stores: the webhook.
// A test holds it against stores/stores.c.
#pragma once

#include <stdbool.h>

// How the webhook says so: the store's name, its type.
#define STORE_TYPE_LACKING                                                               \
	"store '%.63s': this version's agent has no stores of the type '%.40s', and "    \
	"will "                                                                          \
	"not start"

// NULL is known: a store without a type is of the default one.
bool store_type_known(const char *type);
