// SPDX-License-Identifier: Apache-2.0
// The caBundle of the webhook's own two registrations. Pure.
//
// Whoever looks adds what its Secret holds and never takes away what another replica may
// have added: only CAs that have ended, and what is none of ours (a CA of others when our own
// newest is CERT_KNOWN_S old). So replicas that have seen
// different versions agree, in any order.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "webhook/cert_set.h"

// Whether every webhook of the registration trusts `ca`.
bool cert_trust_has(const json_t *registration, const struct x509 *ca);
// The strategic merge patch that makes each caBundle what it shall be, by the registration's
// present version; NULL: nothing is to be done. The caller's.
json_t *cert_trust_patch(const json_t *registration, const struct cert_cas *cas,
			 int64_t now_s);
