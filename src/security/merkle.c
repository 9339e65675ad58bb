// SPDX-License-Identifier: Apache-2.0
// Merkle trees of RFC 6962: see merkle.h.
#include "security/merkle.h"

#include <string.h>

static struct sha256 digest_of(unsigned char kind, const void *a, const void *b)
{
	unsigned char text[1 + 2 * SHA256_SIZE];
	text[0] = kind;
	memcpy(text + 1, a, SHA256_SIZE);
	memcpy(text + 1 + SHA256_SIZE, b, SHA256_SIZE);
	return sha256_of(str_bytes(text, sizeof(text)));
}

struct sha256 merkle_node(const struct sha256 *left, const struct sha256 *right)
{
	return digest_of(1, left->bytes, right->bytes);
}

// Lines of the audit log fit on the stack; what is larger goes through a streaming digest.
struct sha256 merkle_leaf(struct str data)
{
	enum { SMALL = 8400 };
	char text[1 + SMALL];
	struct sha256 out;
	text[0] = 0;
	if (data.n <= SMALL) {
		if (data.n)
			memcpy(text + 1, data.p, data.n);
		return sha256_of(str_bytes(text, 1 + data.n));
	}
	AUTO(digest) d = digest_new(DIGEST_SHA256);
	if (!d) // as base/hash.h has it: a digest that cannot be computed must not be mistaken for a real one
		__builtin_trap();
	digest_update(d, str_bytes(text, 1));
	digest_update(d, data);
	(void)digest_final(d, out.bytes);
	return out;
}

size_t merkle_frontier_count(uint64_t size)
{
	return (size_t)__builtin_popcountll(size);
}

// Like counting in binary: a new leaf merges with every full subtree of its own size.
void merkle_add(struct merkle *m, const struct sha256 *leaf)
{
	struct sha256 node = *leaf;
	size_t n = merkle_frontier_count(m->size);
	for (uint64_t rest = m->size; rest & 1; rest >>= 1)
		node = merkle_node(&m->frontier[--n], &node);
	m->frontier[n] = node;
	m->size++;
}

struct sha256 merkle_root(const struct merkle *m)
{
	size_t n = merkle_frontier_count(m->size);
	if (n == 0)
		return sha256_of((struct str){0});
	struct sha256 root = m->frontier[n - 1];
	for (size_t i = n - 1; i > 0; i--)
		root = merkle_node(&m->frontier[i - 1], &root);
	return root;
}

struct sha256 merkle_root_of(const struct sha256 *leaves, uint64_t n)
{
	struct merkle m = {0};
	for (uint64_t i = 0; i < n; i++)
		merkle_add(&m, &leaves[i]);
	return merkle_root(&m);
}

static uint64_t split_of(uint64_t n) // the largest power of two below n, n > 1
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

// From the root down to the leaf; the proof is written from its end, since it lists the lowest sibling first.
int merkle_prove_inclusion(const struct sha256 *leaves, uint64_t n, uint64_t index, struct merkle_proof *out)
{
	struct sha256 down[MERKLE_MAX_PATH];
	size_t depth = 0;
	if (index >= n)
		return ERR_INVALID;
	while (n > 1) {
		uint64_t k = split_of(n);
		if (index < k) {
			down[depth++] = merkle_root_of(leaves + k, n - k);
			n = k;
		} else {
			down[depth++] = merkle_root_of(leaves, k);
			leaves += k;
			index -= k;
			n -= k;
		}
	}
	out->count = depth;
	for (size_t i = 0; i < depth; i++)
		out->nodes[i] = down[depth - 1 - i];
	return 0;
}

// RFC 6962 section 2.1.2, SUBPROOF, from the root down.
int merkle_prove_consistency(const struct sha256 *leaves, uint64_t n, uint64_t m, struct merkle_proof *out)
{
	struct sha256 down[MERKLE_MAX_PATH];
	size_t depth = 0;
	bool whole = true; // the old tree is exactly the subtree at hand
	if (m == 0 || m > n)
		return ERR_INVALID;
	while (m < n) {
		uint64_t k = split_of(n);
		if (m <= k) {
			down[depth++] = merkle_root_of(leaves + k, n - k);
			n = k;
		} else {
			down[depth++] = merkle_root_of(leaves, k);
			leaves += k;
			m -= k;
			n -= k;
			whole = false;
		}
	}
	size_t at = 0;
	if (!whole)
		out->nodes[at++] = merkle_root_of(leaves, n);
	while (depth > 0)
		out->nodes[at++] = down[--depth];
	out->count = at;
	return 0;
}

struct climb { // positions of a node and of the last node on its level
	uint64_t node, last;
};

static void climb_past_lone_nodes(struct climb *c)
{
	while (!(c->node & 1) && c->node != 0) {
		c->node >>= 1;
		c->last >>= 1;
	}
}

bool merkle_check_inclusion(
	const struct merkle_head *head, uint64_t index, const struct sha256 *leaf, const struct merkle_proof *proof)
{
	if (index >= head->size || proof->count > MERKLE_MAX_PATH)
		return false;
	struct climb c = {.node = index, .last = head->size - 1};
	struct sha256 root = *leaf;
	for (size_t i = 0; i < proof->count; i++) {
		if (c.last == 0)
			return false;
		if ((c.node & 1) || c.node == c.last) {
			root = merkle_node(&proof->nodes[i], &root);
			climb_past_lone_nodes(&c);
		} else {
			root = merkle_node(&root, &proof->nodes[i]);
		}
		c.node >>= 1;
		c.last >>= 1;
	}
	return c.last == 0 && hash_equal(root.bytes, head->root.bytes, SHA256_SIZE);
}

// RFC 9162 section 2.1.4.2. When the old size is a power of two its root is the first node and is left out of the
// proof.
bool merkle_check_consistency(
	const struct merkle_head *old_head, const struct merkle_head *new_head, const struct merkle_proof *proof)
{
	uint64_t m = old_head->size, n = new_head->size;
	if (m == 0 || m > n || proof->count > MERKLE_MAX_PATH)
		return false;
	if (m == n)
		return proof->count == 0 && hash_equal(old_head->root.bytes, new_head->root.bytes, SHA256_SIZE);
	bool power = (m & (m - 1)) == 0;
	if (!power && proof->count == 0)
		return false;
	struct climb c = {.node = m - 1, .last = n - 1};
	while (c.node & 1) {
		c.node >>= 1;
		c.last >>= 1;
	}
	struct sha256 older = power ? old_head->root : proof->nodes[0], newer = older;
	for (size_t i = power ? 0 : 1; i < proof->count; i++) {
		if (c.last == 0)
			return false;
		if ((c.node & 1) || c.node == c.last) {
			older = merkle_node(&proof->nodes[i], &older);
			newer = merkle_node(&proof->nodes[i], &newer);
			climb_past_lone_nodes(&c);
		} else {
			newer = merkle_node(&newer, &proof->nodes[i]);
		}
		c.node >>= 1;
		c.last >>= 1;
	}
	return c.last == 0 && hash_equal(older.bytes, old_head->root.bytes, SHA256_SIZE) &&
	       hash_equal(newer.bytes, new_head->root.bytes, SHA256_SIZE);
}
