// Matrix transposition in 8 x 8 blocks of 16- or 32-bit elements.
#pragma once
#if defined(__aarch64__)
#include "../simd/transpose_neon.h"
#else
#include "../simd/transpose_avx2.h"
#endif

namespace framepack::cpu::isa {
namespace {

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
