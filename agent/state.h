// SPDX-License-Identifier: Apache-2.0
// What must survive the process, so that a restart, and the sidecar behind an init container,
// cost one login and one credential: the stores' tokens and high-water marks, every secret
// that is held with its lease, and which notifications are due. SIGHUP hands the same
// document over in memory.
//
// The file FOLDER/state (`state { path = FOLDER }`, or the peer's cache { persist }) is
// replaced atomically whenever a token, a secret or a lease has changed, before files that
// rest on it are published. agent/state_seal.h is its format, agent/state_doc.h what is in it.
//
// The threat model. The sealing key is derived from 32 random bytes in FOLDER/key (mode 0600,
// made at the first start), or in `key_file`, and from the pod: its host name and its
// uid where the mount table shows one. So the seal protects
//  - a state file that leaves its folder alone: in a backup, an image, a bug report;
//  - against changed, cut and mixed-up bytes, and against the state of another pod, be it
//    with the key file: the agent starts without it and says why;
//  - with a key_file on another volume: against whoever reads the state's folder only.
// It does not protect against who can read both the folder and the key, as root on the node
// can, or a container that mounts the folder: he could read the agent's memory or the files
// that it renders as well. An older state of the same pod is not told from the newest
// one: what it says is only believed until the store says otherwise (token and leases are
// renewed at once, secrets are read again), and after 7 days not at all. Put the folder on
// a memory volume (emptyDir, medium Memory) that no other container mounts.
#pragma once

#include "agent/cache.h"
#include "agent/output.h"
#include "agent/source.h"

struct state;
struct notifier;

// Whose state it is.
struct state_env {
	const struct conf *conf;
	struct source *const *sources; // as conf->stores
	const struct cache *cache;
	struct output *const *outputs;
	size_t n_outputs;
	const struct notifier *notifier; // NULL: nothing is due yet
};

// Makes folder and key when the configuration asks for a state that lasts. Without one it
// lives in memory only.
MUST_CHECK bool state_new(const struct conf *conf, struct state **ret, struct err *e);
void state_free(struct state *st);

// What there is to take over: from the file (ERR_MISSING: none is there; any other error says
// why it is refused), or from an agent of this process.
MUST_CHECK bool state_load(struct state *st, struct err *e);
void state_inherit(struct state *st, const struct state *from,
		   const struct state_env *env);
// Whether the heir's configuration has the i-th store of `from`, with the same login.
bool state_inherits(const struct state *heir, const struct state *from, size_t i);

// Gives each source its store's credential, before source_start().
void state_restore_logins(struct state *st, const struct state_env *env);
// Fills a fresh entry with what the predecessor held; false when it held none, or its lease
// has ended. Each is given once.
bool state_restore_entry(struct state *st, struct entry *en);
// Whether the application was not told of this file's last content.
bool state_is_untold(const struct state *st, const struct output *o);

// Revokes the leases of what nobody has claimed: no template wants it any more.
void state_drop_rest(struct state *st, const struct state_env *env);

// Writes what is held now, and what of the predecessor is not claimed yet. Without a folder
// it does nothing.
MUST_CHECK bool state_save(const struct state *st, const struct state_env *env,
			   struct err *e);
// Removes the file: nothing in it is good any more.
void state_remove(const struct state *st);
