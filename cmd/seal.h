// SPDX-License-Identifier: Apache-2.0
// `ampoule seal`: the sealed store's commands. argv[0] is the word "seal". Exit code 0, 1 for
// a failure (one line on stderr), 2 for a wrong call.
#pragma once

int cmd_seal(int argc, char **argv);
