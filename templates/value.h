// SPDX-License-Identifier: Apache-2.0
// What a template computes with: Go's dynamic values, as far as a template can tell them
// apart (contract: sections 3.1 and 3.2). A struct val is small and passed by value; what it
// points to lies in the arena of the run, in the tree, or in the data of the caller, and is
// never freed on its own.
//
// Lists and maps may stand on a json_t of the caller. They are unfolded when more than a
// scalar in them is looked at, so that a map or list in them is the same at each look. A
// kept number (lib/base/json.h) becomes VAL_NUMBER, jansson's integer an int, its real a
// float64.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "templates/arena.h"

enum val_kind {
	VAL_NONE, // no value at all: an absent key, a nil that has left its interface
	VAL_NIL,  // nil inside an interface: JSON's null in a map or list
	VAL_BOOL,
	VAL_INT,     // every signed and unsigned integer; sub says which
	VAL_FLOAT,   // float64
	VAL_COMPLEX, // complex128
	VAL_STR,
	VAL_NUMBER, // json.Number: a string of digits with a type of its own
	VAL_LIST,
	VAL_MAP,
	VAL_OBJECT, // a pointer to a struct with fields or methods
	VAL_CHAN,   // what `loop` returns
	VAL_TIME,   // time.Time in UTC
};

// The type of a VAL_INT, of a list's elements or of a map.
enum val_int { INT_INT, INT_64, INT_32, INT_UINT8, INT_UINT64 };
enum list_type { LIST_ANY, LIST_STR, LIST_BYTES, LIST_INT };
enum map_type { MAP_ANY, MAP_STR, MAP_YAML };
enum object_type {
	OBJ_SECRET, // the store's answer, or none yet (json is NULL)
	OBJ_AUTH,
	OBJ_WRAP,
	OBJ_PKI, // a certificate with its key
	OBJ_SCRATCH,
};

struct val {
	uint8_t kind; // enum val_kind
	uint8_t sub;  // enum val_int, for integers
	union {
		bool b;
		int64_t i;
		uint64_t u;
		double f;
		struct {
			double re, im;
		} c;
		struct {
			const char *p;
			size_t len;
		} s;               // VAL_STR, VAL_NUMBER
		struct list *list; // VAL_LIST; NULL is a nil slice
		struct map *map;   // VAL_MAP; NULL is a nil map
		struct object *object;
		struct chan *chan;
		struct {
			int64_t sec;
			int64_t nsec;
		} t;
	};
};

struct list {
	enum list_type type;
	struct val *items; // NULL while json is not unfolded
	size_t n;
	size_t cap; // as `slice` sees it: items behind n are nil
	const json_t *json;
};

struct entry {
	struct val key; // VAL_STR; any scalar in MAP_YAML
	struct val value;
};

// Entries are sorted by key, as Go prints and ranges over them.
struct map {
	enum map_type type;
	struct entry *entries; // NULL while json is not unfolded
	size_t n, cap;
	const json_t *json;
};

struct object {
	enum object_type type;
	const json_t *json; // SECRET, AUTH, WRAP, PKI
	struct map *map;    // SCRATCH
	struct val data;    // the field of that kind once it has been looked at
};

struct chan {
	int64_t next, end; // next >= end: exhausted
};

struct val val_bool(bool b);
struct val val_int(int64_t i);
struct val val_int64(int64_t i);
struct val val_float(double f);
struct val val_str(const char *p, size_t len);
struct val val_strz(const char *s); // borrows s
struct val val_list(struct list *l);
struct val val_map(struct map *m);
struct val val_json(struct arena *a, const json_t *j);
bool val_is_container(const json_t *j);

// What Go calls the dynamic type: "string", "map[string]interface {}", "json.Number", …
const char *val_type(const struct val *v);
bool val_is_nil(const struct val *v);    // VAL_NONE, VAL_NIL, nil slice, map or pointer
bool val_is_string(const struct val *v); // of string kind: json.Number too
bool val_is_unsigned(const struct val *v);
bool val_truth(const struct val *v);
// A nil that leaves its interface is no value.
struct val val_unwrap(struct val v);

struct list *list_new(struct arena *a, enum list_type type, size_t cap);
void list_add(struct arena *a, struct list *l, struct val v);
size_t list_len(const struct list *l); // NULL is empty
// i < list_len(); also the nils up to cap.
struct val list_at(struct arena *a, struct list *l, size_t i);

// Afterwards the list has items, and no json.
void list_force(struct arena *a, struct list *l);

struct map *map_new(struct arena *a, enum map_type type);
size_t map_len(const struct map *m);
// Unfolds and sorts; entries are valid until the next map_set().
const struct entry *map_entries(struct arena *a, struct map *m);
// False when there is no such key; map NULL is empty.
bool map_get(struct arena *a, struct map *m, const struct val *key, struct val *ret);
bool map_get_str(struct arena *a, struct map *m, const char *key, size_t len,
		 struct val *ret);
// Adds or replaces. The map must be of this run (map_new or unfolded).
void map_set(struct arena *a, struct map *m, struct val key, struct val value);
// For many: appends without a look at the order; then map_sort(), before anything else is asked
// of the map. Of equal keys the last wins.
void map_append(struct arena *a, struct map *m, struct val key, struct val value);
void map_sort(struct arena *a, struct map *m);
bool map_remove(struct arena *a, struct map *m, const struct val *key);
// Order of keys as Go's fmt sorts them.
int val_compare_keys(const struct val *a, const struct val *b);
