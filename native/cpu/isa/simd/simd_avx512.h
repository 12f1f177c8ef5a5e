// Sixteen f32 lanes. The twin of simd_avx2.h: the same names, so that every kernel is written once.
#pragma once
// g++ 12 takes the deliberately undefined operands inside these intrinsics for a mistake of ours.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop

namespace framepack::cpu::isa {
namespace {

constexpr int kLanes = 16;
using Float = float __attribute__((vector_size(64)));
using Int = int __attribute__((vector_size(64)));
using Double = double __attribute__((vector_size(64)));

inline Float fma(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
// b where either is NaN.
inline Float maximum(Float a, Float b) { return _mm512_max_ps(a, b); }
// Even lanes a * b - c, odd lanes a * b + c.
inline Float fma_subtract_add(Float a, Float b, Float c) { return _mm512_fmaddsub_ps(a, b, c); }
inline Float swap_pairs(Float x) { return _mm512_permute_ps(x, 0xB1); }

inline Double low_double(Float x) { return _mm512_cvtps_pd(_mm512_castps512_ps256(x)); }
inline Double high_double(Float x) { return _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)); }

inline __mmask16 first_lanes(int count) { return static_cast<__mmask16>((1u << count) - 1); }

// count lanes; the rest read as zero and are not written.
inline Float load(const float* x, int count) {
  return count == kLanes ? _mm512_loadu_ps(x) : _mm512_maskz_loadu_ps(first_lanes(count), x);
}
inline void store(Float x, float* out, int count) {
  if (count == kLanes) {
    _mm512_storeu_ps(out, x);
  } else {
    _mm512_mask_storeu_ps(out, first_lanes(count), x);
  }
}

// count / 2 values, each in two adjacent lanes.
inline Float load_doubled(const float* x, int count) {
  const __m512i index = _mm512_set_epi32(7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0);
  return _mm512_permutexvar_ps(index, load(x, count == kLanes ? kLanes / 2 : count / 2));
}

inline __m256i load_16_bits(const unsigned short* x, int count) {
  return count == kLanes ? _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x))
                         : _mm256_maskz_loadu_epi16(first_lanes(count), x);
}
inline void store_16_bits(__m256i x, unsigned short* out, int count) {
  if (count == kLanes) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), x);
  } else {
    _mm256_mask_storeu_epi16(out, first_lanes(count), x);
  }
}

// 16 pairs of 16-bit numbers, or one pair 16 times.
inline __m512i load_pairs(const unsigned short* x) { return _mm512_loadu_si512(x); }
inline __m512i broadcast_pair(const unsigned short* x) {
  int pair;
  __builtin_memcpy(&pair, x, sizeof pair);
  return _mm512_set1_epi32(pair);
}

inline Int load_int(const unsigned short* x, int count) {
  return __builtin_bit_cast(Int, _mm512_cvtepu16_epi32(load_16_bits(x, count)));
}
inline void store_int(Int x, unsigned short* out, int count) {
  store_16_bits(_mm512_cvtepi32_epi16(__builtin_bit_cast(__m512i, x)), out, count);
}
inline Int load_int(const unsigned char* x, int count) {
  return __builtin_bit_cast(Int, _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(first_lanes(count), x)));
}
inline void store_int(Int x, unsigned char* out, int count) {
  _mm512_mask_cvtepi32_storeu_epi8(out, first_lanes(count), __builtin_bit_cast(__m512i, x));
}

inline Float load_f16(const unsigned short* x, int count) {
  return _mm512_cvtph_ps(load_16_bits(x, count));
}
inline void store_f16(Float x, unsigned short* out, int count) {
  store_16_bits(_mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT), out, count);
}

}  // namespace
}  // namespace framepack::cpu::isa
