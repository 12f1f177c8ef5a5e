// Loops over several strided operands of one shape.
#pragma once
#include <algorithm>

namespace framepack::cpu {

// The same elements in the same pairing as the loop it was made from, with as few axes as possible.
// Rank is at least 1.
template <int kOperands>
struct StridedLoop {
  static constexpr int kMaxRank = 6;
  int rank = 0;
  long long shape[kMaxRank];
  long long stride[kOperands][kMaxRank];

  // Appends an axis inside the present ones, or merges it with the innermost where every operand
  // allows.
  void append(long long extent, const long long (&strides)[kOperands]) {
    if (extent == 1 && rank > 0) return;
    bool merges = rank > 0;
    for (int o = 0; merges && o < kOperands; ++o)
      merges = stride[o][rank - 1] == strides[o] * extent;
    const bool replaces = rank == 1 && shape[0] == 1;
    if (!merges && !replaces) ++rank;
    shape[rank - 1] = merges && !replaces ? shape[rank - 1] * extent : extent;
    for (int o = 0; o < kOperands; ++o) stride[o][rank - 1] = strides[o];
  }

  long long inner() const { return shape[rank - 1]; }

  // Product of all axes but the innermost.
  long long outer() const {
    long long count = 1;
    for (int axis = 0; axis < rank - 1; ++axis) count *= shape[axis];
    return count;
  }

  // Element offsets of every operand at outer index `index` (row-major over all axes but the
  // innermost).
  void locate(long long index, long long (&offset)[kOperands]) const {
    std::fill_n(offset, kOperands, 0);
    for (int axis = rank - 2; axis >= 0; --axis) {
      const long long at = index % shape[axis];
      index /= shape[axis];
      for (int o = 0; o < kOperands; ++o) offset[o] += at * stride[o][axis];
    }
  }
};

}  // namespace framepack::cpu
