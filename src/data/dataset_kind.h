// SPDX-License-Identifier: Apache-2.0
// The kind `dataset`: records from a source that are brought into buckets, whole or partitioned over clouds, or that lie
// in a bucket already. Only recorded by apply; a pipeline step (jobs/ingest_step.h) brings the bytes.
#ifndef ISOBAR_DATA_DATASET_KIND_H
#define ISOBAR_DATA_DATASET_KIND_H

#include "data/residency.h"
#include "state/resource.h"

struct dataset_partition {
	struct str by;            // "hash of record"; "": not partitioned
	struct field_list clouds; // of struct str; one part on each
};
struct dataset_purpose {
	struct str text, basis, record; // GDPR, articles 5, 6 and 30
};
struct dataset_keep {
	int64_t at_least_ns, at_most_ns; // 0: not said
};
struct dataset_replicas {
	struct field_ref bucket; // name "": none
	struct str refresh;      // "hourly"
	int64_t lag_alert_ns;    // 0: none
};
struct dataset_column {
	struct str name, type; // "amount", "decimal"
};
enum dataset_check_kind { CHECK_UNIQUE, CHECK_NOT_NULL, CHECK_ROWS };
struct dataset_check {
	enum dataset_check_kind kind;
	struct field_list columns; // of struct str; none of CHECK_ROWS
	double within;             // of CHECK_ROWS: 0.2
};
struct dataset {
	struct str source; // "file:///usr/share/datasets/fashion-mnist": a folder; or "bucket/raw/returns/"
	struct str format; // "idx"
	struct field_ref bucket;
	struct str class; // public | internal | personal | special
	struct str subject; // column that names the person a record is about
	struct dataset_purpose purpose;
	struct residency residency;
	struct residency operators; // laws that may bind whoever operates a place; undeclared: any
	struct dataset_keep keep;
	struct field_list schema; // of struct dataset_column
	struct dataset_replicas replicas;
	struct field_list checks; // of struct dataset_check
	struct dataset_partition partition;
};
extern const struct kind dataset_kind;
extern const struct resource_handler dataset_handler;

// {order_id: text, amount: decimal}: fills a struct field_list of struct dataset_column.
bool dataset_schema_parse(const struct node *node, void *out, struct findings *f);
// [unique(a, b), not null(c), rows within 20% of last]: fills a struct field_list of struct dataset_check.
bool dataset_checks_parse(const struct node *node, void *out, struct findings *f);

#endif
