// SPDX-License-Identifier: Apache-2.0
// The end of OpenSSH certificates, which ssh-keygen has made; and of what is none.
#include "stores/ssh_cert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/mem.h"

// -V 20300101000000:20300102000000
static const char ed25519[] =
	"ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZ"
	"W5zc2guY29tAAAAIEkVKEGz+y+GzqbqpIzhAuhNc/GRSU23fVft49QGGUrEAAAAIHa5i6j"
	"Mu/LAISvw9xhG+uzYig4Gh6N/AK2jZTG6Orf1AAAAAAAAAAAAAAABAAAAAmlkAAAADwAAA"
	"ARyb290AAAAA2FwcAAAAABw29iAAAAAAHDdKgAAAAAAAAAAggAAABVwZXJtaXQtWDExLWZ"
	"vcndhcmRpbmcAAAAAAAAAF3Blcm1pdC1hZ2VudC1mb3J3YXJkaW5nAAAAAAAAABZwZXJta"
	"XQtcG9ydC1mb3J3YXJkaW5nAAAAAAAAAApwZXJtaXQtcHR5AAAAAAAAAA5wZXJtaXQtdXN"
	"lci1yYwAAAAAAAAAAAAAAMwAAAAtzc2gtZWQyNTUxOQAAACCIye0cyNHeM2lw2EltEmfrO"
	"/etGHx3zkKwiG07z/I8WAAAAFMAAAALc3NoLWVkMjU1MTkAAABA9nBeDPlBXh3dBclRNiv"
	"Ya/ji2Q3Igu7R4ZBjmEU/j4hsTgWyO9txA0ypm8v8ug6G0Gl69PSSVast5bx9CPoaAw==";
static const char ecdsa[] =
	"ecdsa-sha2-nistp256-cert-v01@openssh.com AAAAKGVjZHNhLXNoYTItbmlzdHAyN"
	"TYtY2VydC12MDFAb3BlbnNzaC5jb20AAAAgPeF1ANyr5sZp1N3Yf6gByv6Q3m0Ur3FRpkD"
	"AsM8AwHgAAAAIbmlzdHAyNTYAAABBBHSSCOShkyLPmk5qy2TTeOKKkJOaCeLU3A/j20E4Q"
	"boM8oBv/PxcLJoYJ9JmMMkLHdS4nv0i+0rhJ0HQQfGXA9sAAAAAAAAAAAAAAAEAAAACaWQ"
	"AAAAPAAAABHJvb3QAAAADYXBwAAAAAHDb2IAAAAAAcN0qAAAAAAAAAACCAAAAFXBlcm1pd"
	"C1YMTEtZm9yd2FyZGluZwAAAAAAAAAXcGVybWl0LWFnZW50LWZvcndhcmRpbmcAAAAAAAA"
	"AFnBlcm1pdC1wb3J0LWZvcndhcmRpbmcAAAAAAAAACnBlcm1pdC1wdHkAAAAAAAAADnBlc"
	"m1pdC11c2VyLXJjAAAAAAAAAAAAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIIjJ7RzI0d4zaXD"
	"YSW0SZ+s7960YfHfOQrCIbTvP8jxYAAAAUwAAAAtzc2gtZWQyNTUxOQAAAEAbcGnRulMMd"
	"pf8DWj01zdncrH0ViwoTYBLxZBZW8nmeLCAlNK8djgAIrroKV+rvS/pXxRgAmb3eULhRb7"
	"g3Y4A";
// Without an end.
static const char rsa[] =
	"ssh-rsa-cert-v01@openssh.com AAAAHHNzaC1yc2EtY2VydC12MDFAb3BlbnNzaC5jb"
	"20AAAAgUbbRxQkjlHFD1op3OpU83lece8qGrFWzgCUS5f8F01MAAAADAQABAAAAgQDIMKj"
	"Fovb2B4FEpgzwQrKAzWA5D/67DA+pINzlY1at1nsGEypNjLS8CTwV02GS9FIDwMNTWEQEY"
	"xWGRS0XN6a4GZNUnDvcFH9c37ubmd6aglW38dZ0UMpJim6gn17mXxsEUhNM1MY4AhNsKSZ"
	"lPTlUpiJqLfltDVfVb5+RM5IwTwAAAAAAAAAAAAAAAQAAAAJpZAAAAAAAAAAAAAAAAP///"
	"///////AAAAAAAAAIIAAAAVcGVybWl0LVgxMS1mb3J3YXJkaW5nAAAAAAAAABdwZXJtaXQ"
	"tYWdlbnQtZm9yd2FyZGluZwAAAAAAAAAWcGVybWl0LXBvcnQtZm9yd2FyZGluZwAAAAAAA"
	"AAKcGVybWl0LXB0eQAAAAAAAAAOcGVybWl0LXVzZXItcmMAAAAAAAAAAAAAADMAAAALc3N"
	"oLWVkMjU1MTkAAAAgiMntHMjR3jNpcNhJbRJn6zv3rRh8d85CsIhtO8/yPFgAAABTAAAAC"
	"3NzaC1lZDI1NTE5AAAAQKpfbc5WTp/3NhZhh4M3QciiYLV/G2bhlZULbNAcYRuKGqz204b"
	"zUEhPjPXjePuoVMqPpP8XBWifBtGVKSRr7Qg=";

static void test_ends(void **state)
{
	(void)state;
	uint64_t end = 0;
	assert_true(ssh_cert_end(ed25519, &end));
	assert_int_equal(end, 1893542400);
	assert_true(ssh_cert_end(ecdsa, &end));
	assert_int_equal(end, 1893542400);
	assert_true(ssh_cert_end(rsa, &end));
	assert_true(end == UINT64_MAX);
}

// What follows, a comment and a newline, does not matter.
static void test_whole_line(void **state)
{
	(void)state;
	uint64_t end = 0;
	AUTO_FREE char *line = mem_printf("%s me@host\n", ed25519);
	assert_true(ssh_cert_end(line, &end));
	assert_int_equal(end, 1893542400);
}

// Cut anywhere before the end of validity, it is none.
static void test_cut(void **state)
{
	(void)state;
	size_t type = strcspn(ed25519, " ") + 1, taken = 0;
	for (size_t len = type; len < strlen(ed25519); len += 4) {
		AUTO_FREE char *line = mem_strndup(ed25519, len);
		uint64_t end = 0;
		if (ssh_cert_end(line, &end)) {
			assert_int_equal(end, 1893542400);
			taken++;
		} else {
			assert_int_equal(taken, 0);
		}
	}
	assert_true(taken > 0);
}

static void test_none(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",       " ",          "ssh-ed25519",    "ssh-ed25519 ", "ssh-ed25519 !",
		"x AAAA", "x /////w==", "x AAAABHh4eHg=",
	};
	uint64_t end;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(ssh_cert_end(texts[i], &end));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_whole_line),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
