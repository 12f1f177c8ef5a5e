// Where a thread finds its element of every strided operand.
#pragma once
#include "ptx.cuh"

namespace framepack {

// index % extent; index becomes the quotient. 64-bit division only where 32 bits do not hold the numbers.
FP_DEVICE unsigned long long split_index(unsigned long long& index, unsigned long long extent) {
  unsigned long long remainder = index;
  if (index < extent) {
    index = 0;
  } else if ((index | extent) >> 32 == 0) {
    const uint32_t narrow = static_cast<uint32_t>(index), by = static_cast<uint32_t>(extent);
    index = narrow / by;
    remainder = narrow - static_cast<uint32_t>(index) * by;
  } else {
    index /= extent;
    remainder -= index * extent;
  }
  return remainder;
}

template <int kOperands>
struct Offsets {
  long long at[kOperands];  // of each operand, in elements
  long long inner;          // along the innermost axis
  bool exists;
};

// Offsets of piece `index`, pieces being `step` elements along the innermost axis, in row-major order.
template <int kRank, int kOperands>
FP_DEVICE Offsets<kOperands> offsets_of(unsigned long long index, int step,
                                        const long long (&shape)[kRank],
                                        const long long* const (&strides)[kOperands]) {
  Offsets<kOperands> result{};
#pragma unroll
  for (int axis = kRank - 1; axis >= 0; --axis) {
    const bool is_inner = axis == kRank - 1;
    const long long extent = is_inner ? (shape[axis] + step - 1) / step : shape[axis];
    long long i = static_cast<long long>(split_index(index, extent));
    if (is_inner) {
      i *= step;
      result.inner = i;
    }
#pragma unroll
    for (int operand = 0; operand < kOperands; ++operand) {
      result.at[operand] += i * strides[operand][axis];
    }
  }
  result.exists = index == 0;
  return result;
}

// The position of this thread in a one-dimensional launch.
FP_DEVICE long long global_thread() {
  return static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
}

}  // namespace framepack
