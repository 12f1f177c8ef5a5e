// Axes of strided operands, simplified before a launch. Plain C++.
#pragma once

namespace framepack {

// Drops axes of one element and merges neighbours that every operand crosses in one stride, in place. At least
// one axis remains. `strides` are the arrays of the operands, innermost axis last.
template <int kMaxRank, int kOperands>
void merge_axes(long long& rank, long long (&shape)[kMaxRank],
                long long (*const (&strides)[kOperands])[kMaxRank]) {
  long long kept = 0;
  for (long long axis = 0; axis < rank; ++axis) {
    if (shape[axis] == 1) continue;
    bool is_merged = kept > 0;
    for (const auto& stride : strides) {
      is_merged = is_merged && (*stride)[kept - 1] == (*stride)[axis] * shape[axis];
    }
    if (!is_merged) ++kept;
    shape[kept - 1] = is_merged ? shape[kept - 1] * shape[axis] : shape[axis];
    for (const auto& stride : strides) (*stride)[kept - 1] = (*stride)[axis];
  }
  if (kept == 0) {
    kept = 1;
    shape[0] = 1;
    for (const auto& stride : strides) (*stride)[0] = 1;
  }
  rank = kept;
}

}  // namespace framepack
