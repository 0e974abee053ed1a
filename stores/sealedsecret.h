// SPDX-License-Identifier: Apache-2.0
// Bitnami's Sealed Secrets (bitnami.com/v1alpha1, kind SealedSecret), opened with the
// controller's private keys. Each item is
//
//	base64( length of W, 2 bytes | W | AES-256-GCM(key, zero nonce, value) )
//	W = RSA-OAEP-SHA256(key, label)
//
// with the label "NAMESPACE/NAME" (scope strict), "NAMESPACE" (namespace-wide) or "" (cluster-
// wide; both by annotation), so that an item that is moved does not open. Keys are rotated
// and old ones stay in use: each is tried.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypto/pkey.h"
#include "stores/manifest.h"

enum { SEALEDSECRET_KEYS_MAX = 64, SEALEDSECRET_VALUE_MAX = 1024 * 1024 };

struct sealedsecret_keys {
	struct pkey *keys[SEALEDSECRET_KEYS_MAX];
	size_t n;
	size_t last; // the key that opened the last item: tried first, as RSA is slow
};
void sealedsecret_keys_release(struct sealedsecret_keys *k);
// Adds the private keys of a text: PEM blocks, or the Secrets (kubernetes.io/tls) in which
// the controller keeps them, as kubectl prints them. name is for messages.
MUST_CHECK bool sealedsecret_keys_parse(struct sealedsecret_keys *k, struct str text,
					const char *name, struct err *e);

enum sealedsecret_scope { SCOPE_STRICT, SCOPE_NAMESPACE, SCOPE_CLUSTER };

struct sealedsecret {
	const char *name, *namespace_; // borrowed from the document
	enum sealedsecret_scope scope;
	const json_t *items; // encryptedData
};

// Whether the document is a SealedSecret; its names are checked. Without a namespace of its
// own it is in the given one (may be NULL: then it opens only cluster-wide).
MUST_CHECK bool sealedsecret_read(const json_t *doc, const char *default_namespace,
				  struct sealedsecret *ret, struct err *e);
bool sealedsecret_is(const json_t *doc);

// Opens one item (appends) or all, as an object of strings (bytes that are no text: Base64).
MUST_CHECK bool sealedsecret_open_item(const struct sealedsecret *s,
				       struct sealedsecret_keys *keys, const char *item,
				       struct buf *to, struct err *e);
MUST_CHECK bool sealedsecret_open(const struct sealedsecret *s,
				  struct sealedsecret_keys *keys, json_t **ret,
				  struct err *e);
// A change key: twelve hex digits of a digest over names, scope and items.
MUST_CHECK bool sealedsecret_version(const struct sealedsecret *s, char ret[static 13],
				     struct err *e);
