// SPDX-License-Identifier: Apache-2.0
// Merkle trees as in RFC 6962 section 2.1 and RFC 9162: leaf = SHA-256(0x00 || data), node = SHA-256(0x01 || left ||
// right), the split is the largest power of two below n, an odd node is never doubled. struct merkle keeps only the
// roots of the full subtrees (the frontier), so that a log of any length is continued with at most 64 digests. Pure, no
// allocation.
#ifndef ISOBAR_SECURITY_MERKLE_H
#define ISOBAR_SECURITY_MERKLE_H

#include <stdint.h>

#include "base/hash.h"

enum { MERKLE_MAX_PATH = 64 };

struct merkle {
	uint64_t size;                           // leaves so far
	struct sha256 frontier[MERKLE_MAX_PATH]; // full subtrees, largest first; their number is the number of one-bits
						 // of size
};
struct merkle_proof {
	struct sha256 nodes[MERKLE_MAX_PATH];
	size_t count;
};

struct sha256 merkle_leaf(struct str data);
struct sha256 merkle_node(const struct sha256 *left, const struct sha256 *right);
void merkle_add(struct merkle *m, const struct sha256 *leaf); // a zero struct is the empty tree
size_t merkle_frontier_count(uint64_t size);
struct sha256 merkle_root(const struct merkle *m); // SHA-256("") for the empty tree

// Over the digests of all n leaves.
struct sha256 merkle_root_of(const struct sha256 *leaves, uint64_t n);
// index < n; proof that leaf index is in the tree of n. ERR_INVALID when out of range.
MUST_CHECK int merkle_prove_inclusion(
	const struct sha256 *leaves, uint64_t n, uint64_t index, struct merkle_proof *out);
// 0 < m <= n: proof that the tree of n continues the tree of m. ERR_INVALID when out of range.
MUST_CHECK int merkle_prove_consistency(const struct sha256 *leaves, uint64_t n, uint64_t m, struct merkle_proof *out);

struct merkle_head {
	uint64_t size;
	struct sha256 root;
};
bool merkle_check_inclusion(
	const struct merkle_head *head, uint64_t index, const struct sha256 *leaf, const struct merkle_proof *proof);
bool merkle_check_consistency(
	const struct merkle_head *old_head, const struct merkle_head *new_head, const struct merkle_proof *proof);

#endif
