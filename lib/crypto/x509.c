// SPDX-License-Identifier: Apache-2.0
// Reads certificates: names, dates, alternative names, key identifier.
#include "lib/crypto/x509.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/crypto/der.h"
#include "lib/crypto/pem.h"

enum { NAME_TEXT_MAX = 4096 };

// Attribute types that have a short name (RFC 4514 section 3), all under 2.5.4.
static const struct {
	unsigned char arc;
	const char *name;
} attributes[] = {
	{ 3, "CN" }, { 5, "serialNumber" }, { 6, "C" },  { 7, "L" },
	{ 8, "ST" }, { 9, "STREET" },       { 10, "O" }, { 11, "OU" },
};

void x509_free(struct x509 *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_sans; i++)
		mem_free(c->sans[i].text);
	mem_free(c->sans);
	mem_free(c->serial);
	mem_free(c->issuer);
	mem_free(c->subject);
	buf_release(&c->der);
	mem_free(c);
}

void auto_x509_(struct x509 **c)
{
	x509_free(*c);
	*c = NULL;
}

// Text of a certificate as a person may see it in a log: controls, backslashes, separators
// and what is not UTF-8 become \xx.
static bool put_text(struct buf *to, struct bytes text, const char *escape)
{
	bool utf8 = str_valid_utf8((const char *)text.p, text.len);
	bool ok = true;
	for (size_t i = 0; ok && i < text.len; i++) {
		unsigned char c = text.p[i];
		bool plain = c >= 0x20 && c != 0x7f && c != '\\' && !strchr(escape, c) &&
			     (c < 0x80 || utf8);
		ok = plain ? buf_putc(to, (char)c) : buf_printf(to, "\\%02x", c);
	}
	return ok;
}

static bool put_attribute(struct buf *to, struct bytes oid, struct bytes value)
{
	const char *name = NULL;
	if (oid.len == 3 && oid.p[0] == 0x55 && oid.p[1] == 0x04)
		for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
			if (attributes[i].arc == oid.p[2])
				name = attributes[i].name;
	bool ok = to->len == 0 || buf_putc(to, ',');
	if (name)
		ok = ok && buf_puts(to, name);
	else
		ok = ok && buf_puts(to, "oid-") && codec_hex_encode(oid.p, oid.len, to);
	return ok && buf_putc(to, '=') && put_text(to, value, ",+=\"<>;#");
}

// Name ::= SEQUENCE OF SET OF SEQUENCE { type, value }
static bool name_text(struct bytes name_der, char **ret)
{
	AUTO_BUF struct buf b = BUF_INIT(NAME_TEXT_MAX);
	struct bytes sets, set, pair, oid, value;
	unsigned tag;
	if (!der_take(&name_der, DER_SEQ, &sets))
		return false;
	while (sets.len) {
		if (!der_take(&sets, DER_SET, &set) || set.len == 0)
			return false;
		while (set.len)
			if (!der_take(&set, DER_SEQ, &pair) ||
			    !der_take(&pair, DER_OID, &oid) ||
			    !der_read(&pair, &tag, &value) ||
			    !put_attribute(&b, oid, value))
				return false;
	}
	*ret = buf_take(&b, NULL);
	return true;
}

static bool put_ip(struct buf *to, struct bytes ip)
{
	char text[INET6_ADDRSTRLEN];
	int family = ip.len == 4 ? AF_INET : AF_INET6;
	if (ip.len != 4 && ip.len != 16)
		return false;
	return inet_ntop(family, ip.p, text, sizeof(text)) && buf_puts(to, text);
}

// GeneralName (RFC 5280 section 4.2.1.6): the four kinds that we know, others are skipped.
static bool add_san(struct x509 *c, unsigned tag, struct bytes value)
{
	static const struct {
		unsigned tag;
		enum x509_san_type type;
	} kinds[] = {
		{ 1, X509_EMAIL }, { 2, X509_DNS }, { 6, X509_URI }, { 7, X509_IP }
	};
	AUTO_BUF struct buf b = BUF_INIT(NAME_TEXT_MAX);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (tag != (DER_CONTEXT | kinds[i].tag))
			continue;
		bool ip = kinds[i].type == X509_IP;
		if (!(ip ? put_ip(&b, value) : put_text(&b, value, "")))
			return false;
		if ((c->n_sans & (c->n_sans - 1)) == 0) // full at each power of two
			c->sans = mem_realloc(c->sans, (c->n_sans ? 2 * c->n_sans : 1) *
							       sizeof(*c->sans));
		c->sans[c->n_sans++] = (struct x509_san){ .type = kinds[i].type,
							  .text = buf_take(&b, NULL) };
	}
	return true;
}

static bool read_sans(struct x509 *c, struct bytes value)
{
	struct bytes names, one;
	unsigned tag;
	if (c->n_sans || !der_take(&value, DER_SEQ, &names) || value.len)
		return false;
	while (names.len)
		if (!der_read(&names, &tag, &one) || !add_san(c, tag, one))
			return false;
	return true;
}

static bool read_basic_constraints(struct x509 *c, struct bytes value)
{
	struct bytes seq, ca;
	if (!der_take(&value, DER_SEQ, &seq) || value.len ||
	    !der_take_optional(&seq, DER_BOOL, &ca))
		return false;
	c->is_ca = ca.len == 1 && ca.p[0] == 0xff;
	return true;
}

// Extensions ::= SEQUENCE OF SEQUENCE { OID, critical BOOLEAN DEFAULT FALSE, OCTET STRING }
static bool read_extensions(struct x509 *c, struct bytes explicit_tag)
{
	struct bytes list, ext, oid, critical, value;
	if (!der_take(&explicit_tag, DER_SEQ, &list) || explicit_tag.len)
		return false;
	while (list.len) {
		if (!der_take(&list, DER_SEQ, &ext) || !der_take(&ext, DER_OID, &oid) ||
		    !der_take_optional(&ext, DER_BOOL, &critical) ||
		    !der_take(&ext, DER_OCTETS, &value) || ext.len)
			return false;
		if (oid.len != 3 || oid.p[0] != 0x55 || oid.p[1] != 0x1d) // 2.5.29
			continue;
		bool ok = true;
		if (oid.p[2] == 14)
			ok = der_take(&value, DER_OCTETS, &c->key_id);
		else if (oid.p[2] == 17)
			ok = read_sans(c, value);
		else if (oid.p[2] == 19)
			ok = read_basic_constraints(c, value);
		if (!ok)
			return false;
	}
	return true;
}

static bool read_serial(struct x509 *c, struct bytes serial)
{
	// A positive number of at most 20 bytes, and a sign byte (RFC 5280 section 4.1.2.2).
	if (serial.len == 0 || serial.len > 21)
		return false;
	while (serial.len > 1 && serial.p[0] == 0)
		serial = bytes_of(serial.p + 1, serial.len - 1);
	AUTO_BUF struct buf hex = BUF_INIT(64);
	bool ok = codec_hex_encode(serial.p, serial.len, &hex);
	c->serial = buf_take(&hex, NULL);
	return ok;
}

// TBSCertificate (RFC 5280 section 4.1), in the order of its members.
static bool read_tbs(struct x509 *c)
{
	struct bytes in = c->tbs, t, version, serial, alg, validity, unique, exts;
	if (!der_take(&in, DER_SEQ, &t) ||
	    !der_take_optional(&t, DER_CONTEXT_SEQ | 0, &version) ||
	    !der_take(&t, DER_INT, &serial) || !read_serial(c, serial) ||
	    !der_take_whole(&t, DER_SEQ, &alg) || !der_equal(alg, c->signature_alg) ||
	    !der_take_whole(&t, DER_SEQ, &c->issuer_der) ||
	    !der_take(&t, DER_SEQ, &validity) ||
	    !der_take_time(&validity, &c->not_before) ||
	    !der_take_time(&validity, &c->not_after) || validity.len ||
	    !der_take_whole(&t, DER_SEQ, &c->subject_der) ||
	    !der_take_whole(&t, DER_SEQ, &c->spki) ||
	    !der_take_optional(&t, DER_CONTEXT | 1, &unique) ||
	    !der_take_optional(&t, DER_CONTEXT | 2, &unique) ||
	    !der_take_optional(&t, DER_CONTEXT_SEQ | 3, &exts) || t.len)
		return false;
	return name_text(c->issuer_der, &c->issuer) &&
	       name_text(c->subject_der, &c->subject) &&
	       (!exts.p || read_extensions(c, exts));
}

bool x509_from_der(struct bytes der, struct x509 **ret, struct err *e)
{
	if (der.len > PEM_DER_MAX)
		return err_set(e, ERR_LIMIT, 0, "certificate longer than %d bytes",
			       PEM_DER_MAX);
	AUTO_X509 struct x509 *c = mem_alloc(sizeof(*c));
	c->der.max = PEM_DER_MAX;
	struct bytes in = der, cert;
	if (!buf_add(&c->der, der.p, der.len))
		return err_set(e, ERR_BUG, 0, "certificate: buffer");
	in = bytes_of(c->der.data, c->der.len);
	if (!der_take(&in, DER_SEQ, &cert) || in.len ||
	    !der_take_whole(&cert, DER_SEQ, &c->tbs) ||
	    !der_take_whole(&cert, DER_SEQ, &c->signature_alg) ||
	    !der_take_bits(&cert, &c->signature) || cert.len || !read_tbs(c))
		return err_set(e, ERR_CONFIG, 0, "certificate: malformed DER");
	if (!digest_of(DIGEST_SHA256, der, c->sha256, e))
		return false;
	*ret = TAKE(c);
	return true;
}

bool x509_from_pem(struct bytes pem, struct x509 **ret, struct err *e)
{
	AUTO_PEM struct pem_block b = PEM_BLOCK_INIT;
	return pem_find(pem, "CERTIFICATE", &b, e) &&
	       x509_from_der(bytes_of(b.der.data, b.der.len), ret, e);
}

void x509_chain_release(struct x509_chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		x509_free(c->certs[i]);
	mem_free(c->certs);
	*c = (struct x509_chain){ 0 };
}

bool x509_chain_from_pem(struct bytes pem, struct x509_chain *ret, struct err *e)
{
	AUTO_X509_CHAIN struct x509_chain c = { 0 };
	AUTO_PEM struct pem_block b = PEM_BLOCK_INIT;
	for (;;) {
		if (!pem_next(&pem, &b, e))
			return false;
		if (!b.label[0])
			break;
		if (strcmp(b.label, "CERTIFICATE") != 0)
			continue;
		if (c.n == X509_CHAIN_MAX)
			return err_set(e, ERR_LIMIT, 0, "more than %d certificates",
				       X509_CHAIN_MAX);
		c.certs = mem_realloc(c.certs, (c.n + 1) * sizeof(*c.certs));
		if (!x509_from_der(bytes_of(b.der.data, b.der.len), &c.certs[c.n], e))
			return err_wrap(e, "certificate %zu", c.n + 1);
		c.n++;
	}
	if (c.n == 0)
		return err_set(e, ERR_MISSING, 0, "there is no certificate in the PEM");
	*ret = c;
	c = (struct x509_chain){ 0 };
	return true;
}

bool x509_to_pem(const struct x509 *c, struct buf *to, struct err *e)
{
	return pem_write("CERTIFICATE", bytes_of(c->der.data, c->der.len), to, e);
}
