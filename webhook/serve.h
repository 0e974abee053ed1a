// SPDX-License-Identifier: Apache-2.0
// ampoule-webhook's server: HTTPS (or plain HTTP, on loopback only, when no certificate is
// named), one thread.
//
//	POST /mutate    reviews; the handler is mutate_review()
//	GET  /healthz   200 while the loop runs
//	GET  /readyz    200 while new requests are welcome: a certificate that is valid now is
//	                loaded, and no end was asked for
//	GET  /metrics   Prometheus text; on metrics_listen alone when that is set
//
// The configuration file, the certificate and its key are watched: a new one that is faulty
// is refused with a line in the log, and the old one stays. TERM and INT end gracefully:
// readiness goes, listeners stay open for two seconds more, requests are answered to the end.
#pragma once

#include <stdbool.h>

#include "lib/base/err.h"

// Runs until it is asked to end. False: it could not start, or the loop failed.
MUST_CHECK bool serve_run(const char *config, struct err *e);
