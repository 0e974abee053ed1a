// SPDX-License-Identifier: Apache-2.0
// ampoule explain -f MANIFEST: what each policy has to say of its pods and workloads.
#pragma once

int explain_manifest(int argc, char **argv);
