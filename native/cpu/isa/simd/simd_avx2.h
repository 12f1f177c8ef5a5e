// Eight f32 lanes. The twin of simd_avx512.h: the same names, so that every kernel is written once.
#pragma once
#include <immintrin.h>

namespace framepack::cpu::isa {
namespace {

constexpr int kLanes = 8;
using Float = float __attribute__((vector_size(32)));
using Int = int __attribute__((vector_size(32)));
using Double = double __attribute__((vector_size(32)));

inline Float fma(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }
// b where either is NaN.
inline Float maximum(Float a, Float b) { return _mm256_max_ps(a, b); }
// Even lanes a * b - c, odd lanes a * b + c.
inline Float fma_subtract_add(Float a, Float b, Float c) { return _mm256_fmaddsub_ps(a, b, c); }
inline Float swap_pairs(Float x) { return _mm256_permute_ps(x, 0xB1); }

inline Double low_double(Float x) { return _mm256_cvtps_pd(_mm256_castps256_ps128(x)); }
inline Double high_double(Float x) { return _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1)); }

inline __m256i first_lanes(int count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0));
}

// count lanes; the rest read as zero and are not written.
inline Float load(const float* x, int count) {
  return count == kLanes ? _mm256_loadu_ps(x) : _mm256_maskload_ps(x, first_lanes(count));
}
inline void store(Float x, float* out, int count) {
  if (count == kLanes) {
    _mm256_storeu_ps(out, x);
  } else {
    _mm256_maskstore_ps(out, first_lanes(count), x);
  }
}

// count / 2 values, each in two adjacent lanes.
inline Float load_doubled(const float* x, int count) {
  const __m256i index = _mm256_set_epi32(3, 3, 2, 2, 1, 1, 0, 0);
  return _mm256_permutevar8x32_ps(load(x, count == kLanes ? kLanes / 2 : count / 2), index);
}

inline __m128i load_16_bits(const unsigned short* x, int count) {
  if (count == kLanes) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(x));
  __m128i lanes = _mm_setzero_si128();
  __builtin_memcpy(&lanes, x, 2 * static_cast<unsigned long>(count));
  return lanes;
}
inline void store_16_bits(__m128i x, unsigned short* out, int count) {
  if (count == kLanes) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), x);
  } else {
    __builtin_memcpy(out, &x, 2 * static_cast<unsigned long>(count));
  }
}

// Lane values below 65536 to 16 bits.
inline __m128i pack_16_bits(Int x) {
  const __m256i lanes = __builtin_bit_cast(__m256i, x);
  return _mm_packus_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
}

inline Int load_int(const unsigned short* x, int count) {
  return __builtin_bit_cast(Int, _mm256_cvtepu16_epi32(load_16_bits(x, count)));
}
inline void store_int(Int x, unsigned short* out, int count) {
  store_16_bits(pack_16_bits(x), out, count);
}
inline Int load_int(const unsigned char* x, int count) {
  __m128i lanes = _mm_setzero_si128();
  __builtin_memcpy(&lanes, x, static_cast<unsigned long>(count));
  return __builtin_bit_cast(Int, _mm256_cvtepu8_epi32(lanes));
}
inline void store_int(Int x, unsigned char* out, int count) {
  const __m128i lanes = pack_16_bits(x);
  const __m128i bytes = _mm_packus_epi16(lanes, lanes);
  __builtin_memcpy(out, &bytes, static_cast<unsigned long>(count));
}

inline Float load_f16(const unsigned short* x, int count) {
  return _mm256_cvtph_ps(load_16_bits(x, count));
}
inline void store_f16(Float x, unsigned short* out, int count) {
  store_16_bits(_mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT), out, count);
}

}  // namespace
}  // namespace framepack::cpu::isa
