// SPDX-License-Identifier: Apache-2.0
// CRC-32C and CRC-64/NVME: see hash.h. Both are reflected, start from all ones and end inverted, so that the checksum
// of two pieces follows from theirs: multiply the first by x^(8 n) modulo the polynomial and add the second. CRC-32C
// uses the processor's instruction and CRC-64 its carry-less multiplication where there are such; else eight tables
// take eight bytes a step ("slicing by 8", Kounavis and Berry 2005). The tables are made once, on first use.
#include "base/hash.h"

#include <pthread.h>
#include <string.h>
#ifdef __x86_64__
#include <wmmintrin.h>
#endif

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

static uint64_t crc64_tables(uint64_t crc, const unsigned char *p, size_t n)
{
	pthread_once(&tables_once, make_tables);
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t w = load_le64(p) ^ crc;
		crc = table64[7][w & 255] ^ table64[6][w >> 8 & 255] ^ table64[5][w >> 16 & 255] ^
		      table64[4][w >> 24 & 255] ^ table64[3][w >> 32 & 255] ^ table64[2][w >> 40 & 255] ^
		      table64[1][w >> 48 & 255] ^ table64[0][w >> 56];
	}
	for (; n; n--, p++)
		crc = crc >> 8 ^ table64[0][(crc ^ *p) & 255];
	return crc;
}

enum { LANES = 4, LANE_SIZE = 16, STRIDE = LANES * LANE_SIZE };

#ifdef __x86_64__
// "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ" (Gopal et al., Intel 2009). A lane holds 128 bits of
// the message, first bit highest: L x^64 + H. Moved on by d bits it is L x^(d+64) + H x^d, and its value modulo the
// polynomial is kept by multiplying with those powers reduced. A carry-less product of reflected words comes out one
// bit high, hence powers lower by one.
#define POWERS_512 _mm_set_epi64x(INT64_C(0x62242240ace5045a), INT64_C(0x0c32cdb31e18a84a))           // x^511, x^575
#define POWERS_128 _mm_set_epi64x(INT64_C(0x21e9761e252621ac), (int64_t)UINT64_C(0xeadc41fd2ba3d420)) // x^127, x^191

__attribute__((target("pclmul"))) static __m128i fold(__m128i lane, __m128i powers, __m128i next)
{
	__m128i low = _mm_clmulepi64_si128(lane, powers, 0x00), high = _mm_clmulepi64_si128(lane, powers, 0x11);
	return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

// At least STRIDE bytes.
__attribute__((target("pclmul"))) static uint64_t crc64_multiply(uint64_t crc, const unsigned char *p, size_t n)
{
	const __m128i *in = (const __m128i *)(const void *)p;
	__m128i lanes[LANES];
	for (size_t i = 0; i < LANES; i++)
		lanes[i] = _mm_loadu_si128(in++);
	lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi64_si128((int64_t)crc));
	for (n -= STRIDE; n >= STRIDE; n -= STRIDE)
		for (size_t i = 0; i < LANES; i++)
			lanes[i] = fold(lanes[i], POWERS_512, _mm_loadu_si128(in++));
	__m128i all = lanes[0];
	for (size_t i = 1; i < LANES; i++)
		all = fold(all, POWERS_128, lanes[i]);
	for (; n >= LANE_SIZE; n -= LANE_SIZE)
		all = fold(all, POWERS_128, _mm_loadu_si128(in++));
	unsigned char rest[LANE_SIZE];
	_mm_storeu_si128((__m128i *)(void *)rest, all);
	crc = crc64_tables(0, rest, sizeof(rest));
	return crc64_tables(crc, (const unsigned char *)in, n);
}

static bool has_multiply(void)
{
	return __builtin_cpu_supports("pclmul");
}
#else
static uint64_t crc64_multiply(uint64_t crc, const unsigned char *p, size_t n)
{
	return crc64_tables(crc, p, n);
}

static bool has_multiply(void)
{
	return false;
}
#endif

uint64_t crc64nvme(uint64_t crc, struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	bool multiply = s.n >= STRIDE && has_multiply();
	return ~(multiply ? crc64_multiply(~crc, p, s.n) : crc64_tables(~crc, p, s.n));
}

uint64_t crc64nvme_portable(uint64_t crc, struct str s)
{
	return ~crc64_tables(~crc, (const unsigned char *)s.p, s.n);
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
