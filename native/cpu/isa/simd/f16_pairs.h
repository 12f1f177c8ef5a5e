// The instructions of AVX-512-FP16 that the products need, and their emulation for processors without
// them.
//
// A vector holds 16 pairs of f16. With FRAMEPACK_EMULATED the same names work through f32: a
// multiply-add is then rounded to f32 and to f16, where the instruction rounds once.
#pragma once
#include "simd_avx512.h"

// g++ knows the instructions from version 12 on. A flag for them would stop older ones, and clang has no
// such pragma: both build without these kernels.
#if defined(FRAMEPACK_EMULATED)
#define FRAMEPACK_FP16
#elif defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define FRAMEPACK_FP16
#pragma GCC target("avx512fp16")
#endif

#if defined(FRAMEPACK_FP16)

namespace framepack::cpu::isa {
namespace {

#if defined(FRAMEPACK_EMULATED)

using F16Pairs = __m512i;

inline F16Pairs fma_pairs(F16Pairs a, F16Pairs b, F16Pairs c) {
  const auto half = [](F16Pairs x, int i) {
    return _mm512_cvtph_ps(i == 0 ? _mm512_castsi512_si256(x) : _mm512_extracti64x4_epi64(x, 1));
  };
  const auto sum = [&](int i) {
    return _mm512_cvtps_ph(fma(half(a, i), half(b, i), half(c, i)), _MM_FROUND_TO_NEAREST_INT);
  };
  return _mm512_inserti64x4(_mm512_castsi256_si512(sum(0)), sum(1), 1);
}

#else

using F16Pairs = __m512h;

inline F16Pairs fma_pairs(F16Pairs a, F16Pairs b, F16Pairs c) { return _mm512_fmadd_ph(a, b, c); }

#endif

inline Int f16_bits(Float x) {
  return __builtin_bit_cast(Int,
                            _mm512_cvtepu16_epi32(_mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT)));
}

// The sums of the two numbers of each pair.
inline Float add_pairs(const unsigned short* pairs) {
  const __m512i first = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(1));
  const Float low = load_f16(pairs, kLanes), high = load_f16(pairs + kLanes, kLanes);
  return _mm512_permutex2var_ps(low, first, high) + _mm512_permutex2var_ps(low, second, high);
}

}  // namespace
}  // namespace framepack::cpu::isa

#endif
