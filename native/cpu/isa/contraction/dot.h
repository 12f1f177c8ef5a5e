// Products with few rows of a, where packing b would cost as much as using it: every weight row is
// read once, in order, and multiplied with up to four rows of a held in L1.
#pragma once
#include "panel.h"

namespace framepack::cpu::isa {
namespace {

inline float horizontal_sum(Float x) {
  float lanes[kLanes];
  store(x, lanes, kLanes);
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

template <DType kType, int kRows, int kColumns>
inline void dot_tile(const float* a, long long a_stride, const ColumnSource& w, long long column,
                     long long k, float* c, long long c_stride) {
  Float sums[kRows][kColumns] = {};
  const auto add_lanes = [&](long long i, int n, const float (&scale)[kColumns]) {
    Float x[kColumns];
    for (int j = 0; j < kColumns; ++j) {
      x[j] = load_as<kType>(w.data, (column + j) * w.row_stride + i, n);
      if (w.block_scale) x[j] *= scale[j];
    }
    for (int r = 0; r < kRows; ++r) {
      const Float row = load(a + r * a_stride + i, n);
      for (int j = 0; j < kColumns; ++j) sums[r][j] = fma(row, x[j], sums[r][j]);
    }
  };
  const long long block = w.block_scale ? kScaleBlock : k;
  for (long long begin = 0; begin < k; begin += block) {
    float scale[kColumns] = {};
    if (w.block_scale) {
      for (int j = 0; j < kColumns; ++j) {
        scale[j] = w.block_scale[(column + j) * w.block_scale_stride + begin / kScaleBlock];
      }
    }
    const long long count = k - begin < block ? k - begin : block;
    for_lanes(count, [&](long long i, int n) { add_lanes(begin + i, n, scale); });
  }
  for (int r = 0; r < kRows; ++r) {
    for (int j = 0; j < kColumns; ++j) {
      c[r * c_stride + column + j] = horizontal_sum(sums[r][j]);
    }
  }
}

template <DType kType, int kColumns>
inline void dot_rows(const float* a, long long a_stride, int rows, const ColumnSource& w,
                     long long column, long long k, float* c, long long c_stride) {
  int r = 0;
  for (; r + 4 <= rows; r += 4) {
    dot_tile<kType, 4, kColumns>(a + r * a_stride, a_stride, w, column, k, c + r * c_stride,
                                 c_stride);
  }
  for (; r < rows; ++r) {
    dot_tile<kType, 1, kColumns>(a + r * a_stride, a_stride, w, column, k, c + r * c_stride,
                                 c_stride);
  }
}

template <DType kType>
inline void dot_as(const float* a, long long a_stride, int rows, const ColumnSource& w, long long k,
                   float* c, long long c_stride) {
  int column = 0;
  for (; column + 2 <= w.columns; column += 2) {
    dot_rows<kType, 2>(a, a_stride, rows, w, column, k, c, c_stride);
  }
  if (column < w.columns) dot_rows<kType, 1>(a, a_stride, rows, w, column, k, c, c_stride);
}

inline void dot(const float* a, long long a_stride, int rows, const ColumnSource& w, long long k,
                float* c, long long c_stride) {
  switch (w.dtype) {
    case DType::kF16: return dot_as<DType::kF16>(a, a_stride, rows, w, k, c, c_stride);
    case DType::kBf16: return dot_as<DType::kBf16>(a, a_stride, rows, w, k, c, c_stride);
    case DType::kF8E4M3: return dot_as<DType::kF8E4M3>(a, a_stride, rows, w, k, c, c_stride);
    default: return dot_as<DType::kF32>(a, a_stride, rows, w, k, c, c_stride);
  }
}

}  // namespace
}  // namespace framepack::cpu::isa
