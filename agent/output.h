// SPDX-License-Identifier: Apache-2.0
// One file of the configuration, or one variable of exec mode (which has no places): its
// template, its last content, and where it goes. agent.c
// owns outputs; render.c fills them; observe.c follows who has read them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/entry.h"
#include "agent/volume.h"
#include "lib/base/buf.h"
#include "lib/conf/conf.h"
#include "lib/loop/loop.h"
#include "templates/template.h"

struct output;
struct observer;

// One copy of an output: in one container's folder, or an ordinary file.
struct place {
	struct output *output;
	struct volume *volume; // NULL: an ordinary file
	char *path;            // relative in the volume, else as the agent opens it
	bool published;        // by this process

	// The receipt of the present generation.
	struct observer *observer;
	struct loop_opens *opens;
	struct loop_timer unread_timer;
	bool observed;                 // a watch was set
	int64_t published_ms, read_ms; // 0 = not yet
	bool unread;                   // the deadline has passed
};

enum output_state {
	OUTPUT_WAITING, // something is not there yet, or the template fails
	OUTPUT_HELD,    // content is published (error may say what is wrong since)
	OUTPUT_REMOVED, // its secret is gone and so is the file
};

struct output {
	const struct conf_template *conf;
	const char *name; // for people
	struct tmpl *tmpl;
	// A file that another's template writes (side.h): its parent, its conf, and what the
	// parent's run has written so far.
	struct output *parent;
	struct conf_template *own_conf;
	struct buf fresh;
	bool written;
	const struct conf *bounds; // whose restrictions count for its functions
	const char **denied;       // functions; lives as long as tmpl
	const char *sandbox[2];    // the one folder that `file` may read, if there is one
	struct loop_watch *source_watch;
	struct place *places;
	size_t n_places;

	struct entry **deps; // what the last run looked up
	size_t n_deps, cap_deps;
	char *secrets; // "db:app@3 …", of the content, for audit and status

	enum output_state state;
	bool existed;    // a file was there before this process started
	bool dirty;      // shall be run again
	bool removing;   // its secret is gone; the file goes in this pass
	bool changed;    // new content waits for publication
	bool notify_due; // published, not yet told
	bool failed;     // the template's own error, not a secret that is awaited
	int64_t first_changed_ms, changed_ms; // of its secrets, since the last rendering
	bool aged;                            // older than rotate_every
	bool untold;         // a predecessor has published it and told nobody
	unsigned generation; // counts contents
	struct buf content, previous;
	char *previous_secrets;
	bool rolled_back;
	struct file_attr attr;
	struct err error;
	int64_t rendered_ms, notified_ms;
};

enum { OUTPUT_MAX_BYTES = 1 << 20 };

// A fresh output for one template of the configuration. `volumes` is NULL-ended.
MUST_CHECK bool output_new(const struct conf_template *conf,
			   struct volume *const *volumes, struct output **ret,
			   struct err *e);
void output_free(struct output *o);
// Of a file that a template writes: the conf and what it owns.
void output_conf_free(struct conf_template *c);
// Whether the content rests on that entry.
bool output_needs(const struct output *o, const struct entry *en);
// Whether something that it asked for has not been answered at all yet: to run it before
// that would be in vain.
bool output_waits(const struct output *o);
void output_add_dep(struct output *o, struct entry *en);
// Appends the published file's bytes (of its first place); false when there is none.
bool output_read(const struct output *o, struct buf *to);
// Since its oldest secret was made; -1: there is none.
int64_t output_age_ms(const struct output *o);
// The container's name, "" for an ordinary file: for people.
const char *place_container(const struct place *p);

// Who answers for it, for audit lines; no field where nobody is named.
#define LOG_OWNER(o)                                                                     \
	((struct log_field){ .key = (o)->conf->owner ? "owner" : NULL,                   \
			     .str = (o)->conf->owner })

// A user or group by name or number; NULL stays (uid_t)-1.
MUST_CHECK bool output_user_id(const char *name, uid_t *ret, struct err *e);
MUST_CHECK bool output_group_id(const char *name, gid_t *ret, struct err *e);
