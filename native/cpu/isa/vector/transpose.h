// Matrix transposition in 8 x 8 blocks of 16- or 32-bit elements. Memory decides its speed, so both
// instruction sets share the 256-bit code.
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

template <class Element>
inline void transpose_elements(const Element* x, long long x_stride, Element* out,
                               long long out_stride, long long rows, long long columns) {
  const long long block_rows = rows / 8 * 8, block_columns = columns / 8 * 8;
  for (long long c = 0; c < block_columns; c += 8)
    for (long long r = 0; r < block_rows; r += 8)
      transpose_block(x + r * x_stride + c, x_stride, out + c * out_stride + r, out_stride);
  for (long long c = 0; c < columns; ++c)
    for (long long r = c < block_columns ? block_rows : 0; r < rows; ++r)
      out[c * out_stride + r] = x[r * x_stride + c];
}

inline void transpose(const void* x, long long x_row_stride, void* out, long long out_row_stride,
                      long long rows, long long columns, int element_bytes) {
  if (element_bytes == 4) {
    transpose_elements(static_cast<const Long*>(x), x_row_stride, static_cast<Long*>(out),
                       out_row_stride, rows, columns);
  } else {
    transpose_elements(static_cast<const Word*>(x), x_row_stride, static_cast<Word*>(out),
                       out_row_stride, rows, columns);
  }
}

}  // namespace
}  // namespace framepack::cpu::isa
