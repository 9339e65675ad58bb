// SPDX-License-Identifier: Apache-2.0
// CRC-32C and CRC-64/NVME: see hash.h. Both are reflected, start from all ones and end inverted, so that the checksum
// of two pieces follows from theirs: multiply the first by x^(8 n) modulo the polynomial and add the second. CRC-32C
// uses the processor's instruction where there is one; else, and for CRC-64, eight tables take eight bytes a step
// ("slicing by 8", Kounavis and Berry 2005). The tables are made once, on first use.
#include "base/hash.h"

#include <pthread.h>
#include <string.h>

#define POLY32 UINT32_C(0x82f63b78)         // Castagnoli, reflected (RFC 3720, 12.1)
#define POLY64 UINT64_C(0x9a6c9329ac4bc9b5) // NVM Express NVM Command Set 1.0, 5.2.1.3.4, reflected

static uint32_t table32[8][256];
static uint64_t table64[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
	for (unsigned i = 0; i < 256; i++) {
		uint32_t a = i;
		uint64_t b = i;
		for (int bit = 0; bit < 8; bit++) {
			a = a >> 1 ^ (a & 1 ? POLY32 : 0);
			b = b >> 1 ^ (b & 1 ? POLY64 : 0);
		}
		table32[0][i] = a;
		table64[0][i] = b;
	}
	for (unsigned slice = 1; slice < 8; slice++)
		for (unsigned i = 0; i < 256; i++) {
			uint32_t a = table32[slice - 1][i];
			uint64_t b = table64[slice - 1][i];
			table32[slice][i] = a >> 8 ^ table32[0][a & 255];
			table64[slice][i] = b >> 8 ^ table64[0][b & 255];
		}
}

static uint64_t load_le64(const unsigned char *p)
{
	uint64_t word;
	memcpy(&word, p, sizeof(word));
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? word : __builtin_bswap64(word);
}

static uint32_t crc32c_tables(uint32_t crc, const unsigned char *p, size_t n)
{
	pthread_once(&tables_once, make_tables);
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t w = load_le64(p) ^ crc;
		crc = table32[7][w & 255] ^ table32[6][w >> 8 & 255] ^ table32[5][w >> 16 & 255] ^
		      table32[4][w >> 24 & 255] ^ table32[3][w >> 32 & 255] ^ table32[2][w >> 40 & 255] ^
		      table32[1][w >> 48 & 255] ^ table32[0][w >> 56];
	}
	for (; n; n--, p++)
		crc = crc >> 8 ^ table32[0][(crc ^ *p) & 255];
	return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc32c_instruction(uint32_t crc, const unsigned char *p, size_t n)
{
	uint64_t wide = crc;
	for (; n >= 8; n -= 8, p += 8)
		wide = __builtin_ia32_crc32di(wide, load_le64(p));
	crc = (uint32_t)wide;
	for (; n; n--, p++)
		crc = __builtin_ia32_crc32qi(crc, *p);
	return crc;
}

static bool has_instruction(void)
{
	return __builtin_cpu_supports("sse4.2");
}
#else
static uint32_t crc32c_instruction(uint32_t crc, const unsigned char *p, size_t n)
{
	return crc32c_tables(crc, p, n);
}

static bool has_instruction(void)
{
	return false;
}
#endif

uint32_t crc32c(uint32_t crc, struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	return ~(has_instruction() ? crc32c_instruction(~crc, p, s.n) : crc32c_tables(~crc, p, s.n));
}

uint32_t crc32c_portable(uint32_t crc, struct str s)
{
	return ~crc32c_tables(~crc, (const unsigned char *)s.p, s.n);
}

uint64_t crc64nvme(uint64_t crc, struct str s)
{
	pthread_once(&tables_once, make_tables);
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n = s.n;
	crc = ~crc;
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t w = load_le64(p) ^ crc;
		crc = table64[7][w & 255] ^ table64[6][w >> 8 & 255] ^ table64[5][w >> 16 & 255] ^
		      table64[4][w >> 24 & 255] ^ table64[3][w >> 32 & 255] ^ table64[2][w >> 40 & 255] ^
		      table64[1][w >> 48 & 255] ^ table64[0][w >> 56];
	}
	for (; n; n--, p++)
		crc = crc >> 8 ^ table64[0][(crc ^ *p) & 255];
	return ~crc;
}

// The product of two polynomials modulo the one of the checksum, bits reflected: the highest bit is x^0.
static uint32_t multiply32(uint32_t a, uint32_t b)
{
	uint32_t product = 0;
	for (uint32_t bit = UINT32_C(1) << 31; bit; bit >>= 1) {
		if (a & bit)
			product ^= b;
		b = b >> 1 ^ (b & 1 ? POLY32 : 0);
	}
	return product;
}

static uint64_t multiply64(uint64_t a, uint64_t b)
{
	uint64_t product = 0;
	for (uint64_t bit = UINT64_C(1) << 63; bit; bit >>= 1) {
		if (a & bit)
			product ^= b;
		b = b >> 1 ^ (b & 1 ? POLY64 : 0);
	}
	return product;
}

uint32_t crc32c_combine(uint32_t a, uint32_t b, uint64_t b_size)
{
	uint32_t square = UINT32_C(1) << (31 - 8); // x^8: one byte
	for (; b_size; b_size >>= 1) {
		if (b_size & 1)
			a = multiply32(square, a);
		square = multiply32(square, square);
	}
	return a ^ b;
}

uint64_t crc64nvme_combine(uint64_t a, uint64_t b, uint64_t b_size)
{
	uint64_t square = UINT64_C(1) << (63 - 8);
	for (; b_size; b_size >>= 1) {
		if (b_size & 1)
			a = multiply64(square, a);
		square = multiply64(square, square);
	}
	return a ^ b;
}
