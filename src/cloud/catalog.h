// SPDX-License-Identifier: Apache-2.0
// The catalog of machines: what an hour of each instance type costs in a region, on demand and as spot, each row with
// its source, its date and how far it is to be trusted. The shipped rows are an example with dates, not a price list:
// `isobar prices import` gives a file of today's, whose rows stand in for the shipped ones of the same region.
// Confidence of a row: high: read from the provider's own interface; medium: from a dated public page or index; low: not
// looked up again, the source is the provider's page that says it now, and the date is the day the row was written.
// Rows are constant data or live in the arena of who made them. Pure.
#ifndef ISOBAR_CLOUD_CATALOG_H
#define ISOBAR_CLOUD_CATALOG_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

struct catalog_row {
	const char *provider, *region, *shape; // "aws", "us-east-1", "p5.48xlarge"
	double vcpu, memory_gib;
	const char *accelerator; // "H100", "A100-80GB"; "": none
	unsigned count;          // of accelerators
	double on_demand, spot;  // USD an hour; spot 0: none is known
	const char *source, *date, *confidence;
};
struct catalog {
	const struct catalog_row *rows;
	size_t count;
};

// The shipped rows of a provider; none for an unknown one.
struct catalog catalog_shipped(struct str provider);
// mine, and behind it the shipped rows of regions that mine says nothing of. In the arena. mine NULL: all shipped.
MUST_CHECK int catalog_with(struct arena *a, const struct catalog *mine, struct catalog *out, struct err *e);

struct catalog_need { // "" and 0: whatever
	struct str provider, region;
	double cpu;
	uint64_t memory; // bytes
	// "A100" is met by each of A100-40GB and A100-80GB. "": a machine without, where `plain` is set, else any.
	struct str accelerator;
	unsigned count;
	bool plain, spot; // spot: only machines with a known spot price, compared by it
};
bool catalog_fits(const struct catalog_row *row, const struct catalog_need *need);
double catalog_price(const struct catalog_row *row, bool spot);
// NULL: none. The first one of equally cheap.
const struct catalog_row *catalog_find(const struct catalog *all, struct str provider, struct str region, struct str shape);
const struct catalog_row *catalog_cheapest(const struct catalog *all, const struct catalog_need *need);

// ---- the validator
enum { CATALOG_MAX_AGE_DAYS = 400 };
#define CATALOG_MAX_SPREAD 2.5 // dearest over cheapest region of one shape

enum catalog_fault {
	CATALOG_PRICE,     // not 0 < spot <= on demand
	CATALOG_SPREAD,    // the regions of a shape are too far apart: mostly two different things under one name
	CATALOG_AGE,       // older than CATALOG_MAX_AGE_DAYS, or dated later than the given day
	CATALOG_DUPLICATE, // provider, region and shape twice
	CATALOG_REGION,    // not in the table of regions
	CATALOG_SHAPE,     // no size, no source, accelerators without a count, a confidence of another word
};
struct catalog_finding {
	enum catalog_fault fault;
	const struct catalog_row *row;
	char text[200]; // "aws us-east-1 p5.48xlarge: spot 60.00 is above 55.04 on demand"
};
typedef void catalog_teller(void *ctx, const struct catalog_finding *finding);
// Tells each finding and returns their number. now_ns: the day to measure age against (wall clock).
size_t catalog_check(const struct catalog *all, int64_t now_ns, catalog_teller *tell, void *ctx);
const char *catalog_fault_word(enum catalog_fault fault); // "price"
// "2026-06" or "2026-06-17" as the days since 1970-01-01. ERR_INVALID.
MUST_CHECK int catalog_day(struct str date, int64_t *days);

// ---- as JSON: what an import writes and --prices reads
enum { CATALOG_FILE_MAX = 32 << 20, CATALOG_MAX_ROWS = 20000, CATALOG_MAX_TEXT = 200 };
// {"format": "isobar-prices/1", "rows": [...]}: owned. NULL without memory.
json_t *catalog_json(const struct catalog *all);
json_t *catalog_row_json(const struct catalog_row *row);
// Only the form is checked here; catalog_check tells what is wrong with the prices. ERR_INVALID names row and member.
MUST_CHECK int catalog_of_json(const json_t *file, struct arena *a, struct catalog *out, struct err *e);
MUST_CHECK int catalog_read(const char *path, struct arena *a, struct catalog *out, struct err *e);

#endif
