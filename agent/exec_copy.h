// SPDX-License-Identifier: Apache-2.0
// Copies this program into a folder that applications mount, read-only and executable, for
// their wrapped commands. Only the static build runs in any image.
#pragma once

#include "lib/base/err.h"

// FOLDER/ampoule-agent, mode 0555, in one rename; an equal one is left alone. A folder that is
// mounted noexec is an error.
MUST_CHECK bool exec_copy(const char *folder, struct err *e);
