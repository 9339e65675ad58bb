// SPDX-License-Identifier: Apache-2.0
// What the kind_*.c files share.
#ifndef ISOBAR_BASE_KIND_IMPL_H
#define ISOBAR_BASE_KIND_IMPL_H

#include "base/kind.h"

enum { KIND_MAX_FIELDS = 64 }; // rows of one table, which have a bit each in struct kind_check

// The row of a name among those that are written, looked for from row `from` on and then from the first; field_count
// when there is none.
size_t kind_row(const struct kind *k, struct str name, size_t from);
// Bytes of the C type of a field (an item of a list: with type = item); 0 for types without one of their own.
size_t kind_type_size(const struct field *field);
bool kind_is_scalar(enum field_type type);       // written as one word or number
bool kind_is_block(enum field_type type);        // has a sub-table
bool kind_is_written(const struct field *field); // a user writes it; FIELD_KEY and FIELD_PRESENT are filled otherwise
// The type in a word or two, for lists of fields: "duration", "list of names".
void kind_type_words(const struct field *field, struct buf *out);
// Reads one scalar; false when it is not of the type. Bounds are checked too.
bool kind_read_scalar(const struct field *field, const struct node *n, void *out);
// A field like `list`, for its items.
struct field kind_item_field(const struct field *list);
bool kind_default_is_plain(const struct field *field); // a scalar, which needs no parsing
// The node that stands for a default: a plain scalar, or a text in brackets read as YAML. NULL and a finding when it is
// broken.
const struct node *kind_default_node(const struct field *field, struct findings *f);

// ---------------------------------------------------------------- decoding (kind.c, kind_shapes.c)
struct decoder {
	struct arena *arena; // for lists and the like
	struct findings *f;
	size_t unknown; // findings about names that no field has
};
struct str kind_path_of(const struct decoder *d, const struct node *n);
struct str kind_shown(const struct decoder *d, const struct node *n); // what was written, for messages
void kind_no_memory(const struct decoder *d, const struct node *n);
void kind_wrong_type(const struct decoder *d, const struct field *field, const struct node *n);
void kind_decode_value(struct decoder *d, const struct field *field, const struct node *n, void *place);
void kind_decode_list(struct decoder *d, const struct field *field, const struct node *n, void *place);
void kind_decode_clouds(struct decoder *d, const struct field *field, const struct node *n, void *place);
void kind_decode_cloud(struct decoder *d, const struct field *field, const struct node *n, void *place);
void kind_decode_places(struct decoder *d, const struct field *field, const struct node *n, void *place);
void kind_decode_labels(struct decoder *d, const struct field *field, const struct node *n, void *place);
void kind_decode_refs(struct decoder *d, const struct field *field, const struct node *n, void *place);

#endif
