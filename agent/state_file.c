// SPDX-License-Identifier: Apache-2.0
// Folder, key and file of the state.
#include "agent/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"

enum { TABLE_MAX = 4 << 20, UID_LEN = 36, BOOT_MAX = 64 };

struct state_file {
	char *path, *boot, *pod;
	struct buf secret;
};

// --- who we are ---------------------------------------------------------------------------

// The pod's uid is part of what the kubelet mounts into each container of it:
// …/pods/UID/etc-hosts, …/pods/UID/volumes/…
static void add_pod_uid(struct buf *to)
{
	AUTO_BUF struct buf table = BUF_INIT(TABLE_MAX);
	if (!file_read("/proc/self/mountinfo", &table, NULL))
		return;
	const char *at = strstr(buf_str(&table), "/pods/");
	at = at ? at + strlen("/pods/") : "";
	if (strspn(at, "0123456789abcdef-") == UID_LEN && at[UID_LEN] == '/') {
		buf_putc(to, '/');
		buf_add(to, at, UID_LEN);
	}
}

static char *pod_name(void)
{
	char host[256] = "";
	struct buf b = BUF_INIT(512);
	if (gethostname(host, sizeof(host) - 1) == 0)
		buf_puts(&b, host);
	add_pod_uid(&b);
	return buf_take(&b, NULL);
}

static char *boot_name(void)
{
	AUTO_BUF struct buf b = BUF_INIT(BOOT_MAX);
	if (!file_read("/proc/sys/kernel/random/boot_id", &b, NULL))
		return mem_strdup("");
	struct str s = str_trim((struct str){ buf_str(&b), b.len });
	return mem_strndup(s.p, s.len);
}

// --- the key ------------------------------------------------------------------------------

static bool check_private(const char *path, mode_t forbidden, struct err *e)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return err_set(e, ERR_CONFIG, errno, "stat '%s'", path);
	if (st.st_mode & forbidden)
		return err_set(e, ERR_CONFIG, 0,
			       "'%s' has mode %04o: nobody but its owner may have access "
			       "(chmod go-rwx)",
			       path, st.st_mode & 07777);
	return true;
}

static bool make_key(const char *path, struct err *e)
{
	unsigned char key[STATE_SECRET_MIN];
	struct file_attr attr = { .mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	bool ok = crypto_random(key, sizeof(key), e) && file_make_parents(path, e) &&
		  file_replace(path, key, sizeof(key), attr, e);
	mem_wipe(key, sizeof(key));
	return ok;
}

// A key that we make is ours alone; one that is given (a mounted Secret) has its giver's mode.
static bool read_key(struct state_file *f, const char *given, const char *own,
		     struct err *e)
{
	const char *path = given ? given : own;
	f->secret.max = STATE_SECRET_MAX;
	if (access(path, F_OK) != 0 && errno == ENOENT && !make_key(path, e))
		return false;
	if ((!given && !check_private(path, 077, e)) || !file_read(path, &f->secret, e))
		return false;
	return f->secret.len >= STATE_SECRET_MIN ||
	       err_set(e, ERR_CONFIG, 0, "key '%s' has %zu bytes; at least %d are wanted",
		       path, f->secret.len, STATE_SECRET_MIN);
}

// --- the file -----------------------------------------------------------------------------

bool state_file_open(const struct conf_state *conf, struct state_file **ret,
		     struct err *e)
{
	struct state_file *f = mem_alloc(sizeof(*f));
	AUTO_FREE char *key = mem_printf("%s/key", conf->path);
	f->path = mem_printf("%s/state", conf->path);
	f->boot = boot_name();
	f->pod = pod_name();
	bool ok = file_make_parents(conf->path, e) &&
		  (mkdir(conf->path, 0700) == 0 || errno == EEXIST ||
		   err_set(e, ERR_CONFIG, errno, "make folder '%s'", conf->path)) &&
		  read_key(f, conf->key_file, key, e);
	if (!ok) {
		state_file_free(f);
		return false;
	}
	*ret = f;
	return true;
}

void state_file_free(struct state_file *f)
{
	if (!f)
		return;
	buf_release(&f->secret);
	mem_free(f->path);
	mem_free(f->boot);
	mem_free(f->pod);
	mem_free(f);
}

const char *state_file_boot(const struct state_file *f)
{
	return f ? f->boot : "";
}

static struct state_key key_of(const struct state_file *f)
{
	return (struct state_key){ .secret = bytes_of(f->secret.data, f->secret.len),
				   .pod = f->pod };
}

bool state_file_read(const struct state_file *f, struct buf *to, struct err *e)
{
	AUTO_BUF struct buf sealed = BUF_INIT(STATE_MAX);
	struct state_key k = key_of(f);
	return file_read(f->path, &sealed, e) &&
	       state_unseal(&k, bytes_of(sealed.data, sealed.len), to, e);
}

bool state_file_write(const struct state_file *f, const struct buf *plain, struct err *e)
{
	AUTO_BUF struct buf sealed = BUF_INIT(STATE_MAX);
	struct state_key k = key_of(f);
	struct file_attr attr = { .mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	return state_seal(&k, bytes_of(plain->data, plain->len), &sealed, e) &&
	       file_replace(f->path, buf_str(&sealed), sealed.len, attr, e);
}

void state_file_remove(const struct state_file *f)
{
	unlink(f->path);
}
