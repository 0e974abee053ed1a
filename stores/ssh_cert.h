// SPDX-License-Identifier: Apache-2.0
// When an OpenSSH certificate ends: the one thing of it that matters to whoever keeps it
// fresh, and that the store's answer does not tell. Nothing is verified here.
// Source: PROTOCOL.certkeys of OpenSSH.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// The end (seconds since 1970; UINT64_MAX = never) of "TYPE-cert-v01@openssh.com BASE64 …".
// False when the text is none.
bool ssh_cert_end(const char *text, uint64_t *ret);
