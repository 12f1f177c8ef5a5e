// Transposition of 8 x 8 elements in 256-bit registers, for AVX-512 too: memory decides its speed.
#pragma once
#include <immintrin.h>

namespace framepack::cpu::isa {
namespace {

using Word = unsigned short;
using Long = unsigned int;

inline void transpose_block(const Long* x, long long x_stride, Long* out, long long out_stride) {
  __m256 row[8], pair[8], quad[8];
  for (int i = 0; i < 8; ++i)
    row[i] = _mm256_loadu_ps(reinterpret_cast<const float*>(x + i * x_stride));
  for (int i = 0; i < 8; i += 2) {
    pair[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
    pair[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    quad[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
    quad[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xEE);
    quad[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
    quad[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xEE);
  }
  for (int i = 0; i < 4; ++i) {
    _mm256_storeu_ps(reinterpret_cast<float*>(out + i * out_stride),
                     _mm256_permute2f128_ps(quad[i], quad[i + 4], 0x20));
    _mm256_storeu_ps(reinterpret_cast<float*>(out + (i + 4) * out_stride),
                     _mm256_permute2f128_ps(quad[i], quad[i + 4], 0x31));
  }
}

inline void transpose_block(const Word* x, long long x_stride, Word* out, long long out_stride) {
  __m128i row[8], pair[8], quad[8];
  for (int i = 0; i < 8; ++i)
    row[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i * x_stride));
  for (int i = 0; i < 8; i += 2) {
    pair[i] = _mm_unpacklo_epi16(row[i], row[i + 1]);
    pair[i + 1] = _mm_unpackhi_epi16(row[i], row[i + 1]);
  }
  for (int i = 0; i < 8; i += 4)
    for (int side = 0; side < 2; ++side) {
      quad[i + 2 * side] = _mm_unpacklo_epi32(pair[i + side], pair[i + side + 2]);
      quad[i + 2 * side + 1] = _mm_unpackhi_epi32(pair[i + side], pair[i + side + 2]);
    }
  for (int i = 0; i < 4; ++i) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 2 * i * out_stride),
                     _mm_unpacklo_epi64(quad[i], quad[i + 4]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + (2 * i + 1) * out_stride),
                     _mm_unpackhi_epi64(quad[i], quad[i + 4]));
  }
}

}  // namespace
}  // namespace framepack::cpu::isa
