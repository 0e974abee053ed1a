// SPDX-License-Identifier: Apache-2.0
// Replays inputs through a fuzz target without libFuzzer, so that each corpus is a plain
// test in every build (gcc, sanitizers, valgrind). Arguments are files or folders of files.
// It finds nothing new; that is what `make fuzz` is for.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed;

// The input lies in a block of exactly its size, so that a sanitizer sees each read past it.
static int replay_file(const char *path, size_t size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(size ? size : 1);
	int bad = !f || !data || fread(data, 1, size, f) != size;
	if (bad)
		perror(path);
	else
		LLVMFuzzerTestOneInput(data, size);
	replayed++;
	free(data);
	if (f)
		fclose(f);
	return bad;
}

static int replay(const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0) {
		perror(path);
		return 1;
	}
	if (!S_ISDIR(st.st_mode))
		return replay_file(path, (size_t)st.st_size);
	int bad = 0;
	struct dirent **names = NULL;
	int n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char child[4096];
		snprintf(child, sizeof(child), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			bad |= replay(child);
		free(names[i]);
	}
	free(names);
	return bad || n < 0;
}

int main(int argc, char **argv)
{
	// The empty input is part of each corpus.
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	int bad = 0;
	for (int i = 1; i < argc; i++)
		bad |= replay(argv[i]);
	printf("%u inputs replayed\n", replayed + 1);
	if (!bad)
		puts("[  PASSED  ] 1 test(s).");
	return bad;
}
