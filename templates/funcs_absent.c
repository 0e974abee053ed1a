// SPDX-License-Identifier: Apache-2.0
// Functions of consul-template that ask Consul or Nomad: neither is a store here. They fail
// when called, with the remedy.
#include "templates/funcs.h"
#include "templates/run.h"

static bool fn_consul(struct run *r, const struct val *args UNUSED, size_t n UNUSED,
		      struct val *ret UNUSED)
{
	return func_fail(
		r, "Consul is no store here; keep the value in a secret and read it "
		   "with secret, or in a ConfigMap with secret \"kubernetes:…\"");
}

static bool fn_nomad(struct run *r, const struct val *args UNUSED, size_t n UNUSED,
		     struct val *ret UNUSED)
{
	return func_fail(r,
			 "Nomad is no store here; keep the value in a secret and read it "
			 "with secret");
}

#define CONSUL(name)                                                                     \
	FUNC(name, "a*", fn_consul, "fails: Consul is no store here", "", "", 0)
#define NOMAD(name) FUNC(name, "a*", fn_nomad, "fails: Nomad is no store here", "", "", 0)

const struct func funcs_absent[] = {
	CONSUL("byKey"),
	CONSUL("byMeta"),
	CONSUL("byPort"),
	CONSUL("byTag"),
	CONSUL("caLeaf"),
	CONSUL("caRoots"),
	CONSUL("connect"),
	CONSUL("datacenters"),
	CONSUL("explode"),
	CONSUL("exportedServices"),
	CONSUL("importedServices"),
	CONSUL("key"),
	CONSUL("keyExists"),
	CONSUL("keyOrDefault"),
	CONSUL("ls"),
	CONSUL("node"),
	CONSUL("nodes"),
	CONSUL("partitions"),
	CONSUL("peerings"),
	CONSUL("safeLs"),
	CONSUL("safeTree"),
	CONSUL("service"),
	CONSUL("services"),
	CONSUL("tree"),
	NOMAD("nomadService"),
	NOMAD("nomadServices"),
	NOMAD("nomadVar"),
	NOMAD("nomadVarExists"),
	NOMAD("nomadVarList"),
	NOMAD("nomadVarListSafe"),
	{ .name = NULL },
};
