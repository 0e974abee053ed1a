// SPDX-License-Identifier: Apache-2.0
// Writing token sinks.
#include "agent/sink.h"

#include <string.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

static bool write_one(const struct conf_sink *s, struct volume *const *volumes,
		      const struct secret *token, struct err *e)
{
	struct file_attr attr = { .mode = s->mode,
				  .uid = (uid_t)s->uid,
				  .gid = (gid_t)s->gid };
	for (struct volume *const *v = volumes; *v; v++) {
		const char *path = volume_path_of(*v, s->path);
		if (!path)
			continue;
		struct volume_file f = { .path = path,
					 .bytes = secret_bytes(token),
					 .len = secret_len(token),
					 .attr = attr };
		return volume_put(*v, &f, volume_same(*v, &f), e);
	}
	return file_make_parents(s->path, e) &&
	       file_replace(s->path, secret_bytes(token), secret_len(token), attr, e);
}

bool sink_write_all(const struct conf *conf, struct volume *const *volumes,
		    const struct secret *token, struct err *e)
{
	bool ok = true;
	for (size_t i = 0; i < conf->n_sinks; i++) {
		struct err why = ERR_INIT;
		if (conf->sinks[i].wrap_ttl || conf->sinks[i].dh_type)
			err_set(&why, ERR_CONFIG, 0,
				"wrapped and encrypted sinks are not supported yet");
		else if (write_one(&conf->sinks[i], volumes, token, &why))
			continue;
		ok = err_set(e, why.kind, 0, "sink '%s': %s", conf->sinks[i].path,
			     why.text);
	}
	return ok;
}
