// The same expressions for device and host: what the host compiler makes of them is the expected
// result. Where the device has an instruction of its own, the host has a plain definition.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#define HOST_DEVICE __device__ inline
#else
#define HOST_DEVICE inline
#endif

struct IntegerInput {
  int32_t a, b;
  uint32_t u, v, n;
  int64_t la, lb;
  uint64_t ua, ub;
  int16_t sa, sb;
  uint16_t wa, wb;
};

struct FloatInput {
  float a, b, c;
  double x, y, z;
};

constexpr int kMaxResults = 96;

struct Results {
  uint64_t value[kMaxResults];
  int count;

  HOST_DEVICE void add(uint64_t bits) { value[count++] = bits; }
  HOST_DEVICE void add(float f) {
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    add(uint64_t{f != f ? 0x7fffffffu : bits});
  }
  HOST_DEVICE void add(double f) {
    uint64_t bits;
    memcpy(&bits, &f, sizeof bits);
    add(f != f ? ~uint64_t{0} : bits);
  }
};

#ifdef __CUDACC__
// One instruction, named by its text.
#define INSTRUCTION_3(name, text, type, constraint)     \
  __device__ inline type name(type a, type b, type c) { \
    type d;                                             \
    asm(text " %0, %1, %2, %3;"                         \
        : "=" constraint(d)                             \
        : constraint(a), constraint(b), constraint(c)); \
    return d;                                           \
  }
INSTRUCTION_3(extract_unsigned, "bfe.u32", uint32_t, "r")
INSTRUCTION_3(funnel_left, "shf.l.wrap.b32", uint32_t, "r")
INSTRUCTION_3(funnel_right_clamped, "shf.r.clamp.b32", uint32_t, "r")
INSTRUCTION_3(permute_bytes, "prmt.b32", uint32_t, "r")
INSTRUCTION_3(absolute_difference_sum, "sad.u32", uint32_t, "r")
__device__ inline int32_t extract_signed(int32_t a, uint32_t position, uint32_t length) {
  int32_t d;
  asm("bfe.s32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(position), "r"(length));
  return d;
}
__device__ inline uint32_t insert_field(uint32_t a, uint32_t into, uint32_t position,
                                        uint32_t length) {
  uint32_t d;
  asm("bfi.b32 %0, %1, %2, %3, %4;" : "=r"(d) : "r"(a), "r"(into), "r"(position), "r"(length));
  return d;
}
__device__ inline uint32_t majority(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t d;
  asm("lop3.b32 %0, %1, %2, %3, 0xe8;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
  return d;
}
__device__ inline uint32_t leading_bit(uint32_t a) {
  uint32_t d;
  asm("bfind.u32 %0, %1;" : "=r"(d) : "r"(a));
  return d;
}
__device__ inline int32_t add_saturated(int32_t a, int32_t b) {
  int32_t d;
  asm("add.sat.s32 %0, %1, %2;" : "=r"(d) : "r"(a), "r"(b));
  return d;
}
__device__ inline uint64_t high_product(uint64_t a, uint64_t b) { return __umul64hi(a, b); }
__device__ inline uint32_t reverse_bits(uint32_t a) { return __brev(a); }
__device__ inline int leading_zeros(uint64_t a) { return __clzll(static_cast<long long>(a)); }
__device__ inline int ones(uint64_t a) { return __popcll(a); }
__device__ inline int32_t dot_4(int32_t a, int32_t b, int32_t c) { return __dp4a(a, b, c); }
#else
inline uint32_t extract_unsigned(uint32_t a, uint32_t position, uint32_t length) {
  uint32_t d = 0;
  for (uint32_t i = 0; i < (length & 255) && i < 32; ++i) {
    const uint32_t from = (position & 255) + i;
    if (from < 32) d |= (a >> from & 1) << i;
  }
  return d;
}
inline int32_t extract_signed(int32_t a, uint32_t position, uint32_t length) {
  position &= 255;
  length &= 255;
  const uint32_t top = position + length - 1 < 31 ? position + length - 1 : 31;
  const uint32_t sign = length == 0 ? 0 : static_cast<uint32_t>(a) >> top & 1;
  uint32_t d = 0;
  for (uint32_t i = 0; i < 32; ++i) {
    const uint32_t bit =
        i < length && position + i < 32 ? static_cast<uint32_t>(a) >> (position + i) & 1 : sign;
    d |= bit << i;
  }
  return static_cast<int32_t>(d);
}
inline uint32_t insert_field(uint32_t a, uint32_t into, uint32_t position, uint32_t length) {
  for (uint32_t i = 0; i < (length & 255); ++i) {
    const uint32_t to = (position & 255) + i;
    if (to >= 32) break;
    into = (into & ~(1u << to)) | (i < 32 ? (a >> i & 1) << to : 0);
  }
  return into;
}
inline uint32_t funnel_left(uint32_t low, uint32_t high, uint32_t n) {
  n &= 31;
  return n ? high << n | low >> (32 - n) : high;
}
inline uint32_t funnel_right_clamped(uint32_t low, uint32_t high, uint32_t n) {
  if (n >= 32) return high;
  return n ? high << (32 - n) | low >> n : low;
}
inline uint32_t permute_bytes(uint32_t a, uint32_t b, uint32_t selector) {
  uint8_t bytes[8], result[4];
  memcpy(bytes, &a, 4);
  memcpy(bytes + 4, &b, 4);
  for (int i = 0; i < 4; ++i) {
    const uint32_t select = selector >> (4 * i) & 15;
    result[i] = select & 8 ? static_cast<uint8_t>(static_cast<int8_t>(bytes[select & 7]) >> 7)
                           : bytes[select];
  }
  uint32_t d;
  memcpy(&d, result, 4);
  return d;
}
inline uint32_t absolute_difference_sum(uint32_t a, uint32_t b, uint32_t c) {
  return c + (a > b ? a - b : b - a);
}
inline uint32_t majority(uint32_t a, uint32_t b, uint32_t c) { return (a & b) | (a & c) | (b & c); }
inline uint32_t leading_bit(uint32_t a) {
  for (uint32_t i = 32; i-- > 0;) {
    if (a >> i & 1) return i;
  }
  return ~0u;
}
inline int32_t add_saturated(int32_t a, int32_t b) {
  const int64_t sum = int64_t{a} + b;
  return static_cast<int32_t>(sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum);
}
inline uint64_t high_product(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(a) * b) >> 64);
}
inline uint32_t reverse_bits(uint32_t a) {
  uint32_t d = 0;
  for (int i = 0; i < 32; ++i) d |= (a >> i & 1) << (31 - i);
  return d;
}
inline int leading_zeros(uint64_t a) { return a ? __builtin_clzll(a) : 64; }
inline int ones(uint64_t a) { return __builtin_popcountll(a); }
inline int32_t dot_4(int32_t a, int32_t b, int32_t c) {
  for (int i = 0; i < 4; ++i)
    c += static_cast<int8_t>(a >> (8 * i)) * static_cast<int8_t>(b >> (8 * i));
  return c;
}
#endif

HOST_DEVICE void integer_results(const IntegerInput& i, Results& r) {
  const uint32_t shift = i.n & 31;
  r.add(uint64_t(uint32_t(i.a) + uint32_t(i.b)));
  r.add(uint64_t(uint32_t(i.a) - uint32_t(i.b)));
  r.add(uint64_t(i.u * i.v + i.n));
  r.add(uint64_t(int64_t(i.a) * i.b));
  r.add(uint64_t(i.u) * i.v + i.ua);
  r.add(uint64_t(int64_t(i.a) * i.b + i.la));
  r.add(uint64_t(uint32_t((int64_t(i.a) * i.b) >> 32)));
  r.add(uint64_t(uint32_t(i.b != 0 && i.b != -1 ? i.a / i.b : 0)));
  r.add(uint64_t(uint32_t(i.b != 0 && i.b != -1 ? i.a % i.b : 0)));
  r.add(uint64_t(i.v != 0 ? i.u / i.v : 0));
  r.add(uint64_t(i.v != 0 ? i.u % i.v : 0));
  r.add(uint64_t(i.lb != 0 && i.lb != -1 ? i.la / i.lb : 0));
  r.add(uint64_t(i.lb != 0 && i.lb != -1 ? i.la % i.lb : 0));
  r.add(i.ub != 0 ? i.ua / i.ub : 0);
  r.add(i.ub != 0 ? i.ua % i.ub : 0);
  r.add(uint64_t(i.u / 7 + i.u % 10));
  r.add(uint64_t(i.la / 1000003));
  r.add(uint64_t(uint32_t(i.a < i.b ? i.a : i.b)));
  r.add(uint64_t(i.u > i.v ? i.u : i.v));
  r.add(uint64_t(i.la < i.lb ? i.la : i.lb));
  r.add(uint64_t(uint32_t(i.a < 0 ? 0u - uint32_t(i.a) : uint32_t(i.a))));
  r.add(uint64_t(i.u << shift));
  r.add(uint64_t(i.u >> shift));
  r.add(uint64_t(uint32_t(i.a >> shift)));
  r.add(i.ua << (i.n & 63));
  r.add(uint64_t(i.la >> (i.n & 63)));
  r.add(i.ua >> (i.n & 63));
  r.add(uint64_t((i.u & i.v) ^ (~i.n | i.u)));
  r.add((i.ua & i.ub) ^ (~i.ua | i.ub));
  r.add(uint64_t(uint16_t(i.sa * i.sb)));
  r.add(uint64_t(uint16_t(i.sa + i.wa)));
  r.add(uint64_t(uint32_t(int32_t(i.sa) * i.sb)));
  r.add(uint64_t(uint32_t(i.wa) * i.wb));
  r.add(uint64_t(i.sa < i.sb));
  r.add(uint64_t(i.wa < i.wb));
  r.add(uint64_t(i.a < i.b) | uint64_t(i.u <= i.v) << 1 | uint64_t(i.la > i.lb) << 2 |
        uint64_t(i.ua >= i.ub) << 3);
  r.add(uint64_t(int64_t(int8_t(i.u))));
  r.add(uint64_t(uint32_t(int32_t(int16_t(i.u)))));
  r.add(uint64_t(uint8_t(i.ua)));
  r.add(uint64_t(extract_unsigned(i.u, i.n & 63, i.v & 63)));
  r.add(uint64_t(uint32_t(extract_signed(i.a, i.n & 31, i.v & 31))));
  r.add(uint64_t(insert_field(i.u, i.v, i.n & 31, (i.n >> 5) & 31)));
  r.add(uint64_t(funnel_left(i.u, i.v, i.n)));
  r.add(uint64_t(funnel_right_clamped(i.u, i.v, i.n & 63)));
  r.add(uint64_t(permute_bytes(i.u, i.v, i.n)));
  r.add(uint64_t(absolute_difference_sum(i.u, i.v, i.n)));
  r.add(uint64_t(majority(i.u, i.v, i.n)));
  r.add(uint64_t(leading_bit(i.u >> shift)));
  r.add(uint64_t(uint32_t(add_saturated(i.a, i.b))));
  r.add(high_product(i.ua, i.ub));
  r.add(uint64_t(reverse_bits(i.u)));
  r.add(uint64_t(leading_zeros(i.ua >> (i.n & 63))));
  r.add(uint64_t(ones(i.ub)));
  r.add(uint64_t(uint32_t(dot_4(i.a, i.b, int32_t(i.n)))));
}

HOST_DEVICE void float_results(const FloatInput& i, Results& r) {
  r.add(i.a + i.b);
  r.add(i.a - i.b);
  r.add(i.a * i.b);
  r.add(i.a / i.b);
  r.add(fmaf(i.a, i.b, i.c));
  r.add(sqrtf(fabsf(i.a)));
  r.add(1.0f / i.b);
  r.add(fminf(i.a, i.b));
  r.add(fmaxf(i.a, i.c));
  r.add(copysignf(i.a, i.b));
  r.add(-i.a);
  r.add(floorf(i.a));
  r.add(ceilf(i.a));
  r.add(truncf(i.b));
  r.add(rintf(i.b));
  r.add(uint64_t(uint32_t(int32_t(i.a))));
  r.add(uint64_t(uint32_t(fabsf(i.b))));
  r.add(uint64_t(int64_t(i.a)));
  r.add(float(int32_t(i.c)));
  r.add(float(uint32_t(fabsf(i.c)) * 65537u));
  r.add(float(int64_t(i.a) * 123456789012345ll));
  r.add(double(i.a));
  r.add(float(i.x));
  r.add(i.x + i.y);
  r.add(i.x * i.y - i.z);
  r.add(i.x / i.y);
  r.add(fma(i.x, i.y, i.z));
  r.add(sqrt(fabs(i.x)));
  r.add(uint64_t(int64_t(i.x)));
  r.add(uint64_t(uint32_t(int32_t(i.y))));
  r.add(double(int64_t(i.x)));
  r.add(uint64_t(i.a < i.b) | uint64_t(i.a <= i.b) << 1 | uint64_t(i.a > i.c) << 2 |
        uint64_t(!(i.a >= i.c)) << 3 | uint64_t(i.a == i.b) << 4 | uint64_t(i.a != i.b) << 5 |
        uint64_t(i.x < i.y) << 6 | uint64_t(i.a != i.a) << 7 | uint64_t(!(i.x > i.y)) << 8);
}
