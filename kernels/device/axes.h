// Axes of strided operands, simplified before a launch. Plain C++.
#pragma once

namespace framepack {

// Drops axes of one element, merges neighbours that every operand crosses in one stride, and moves what
// is left to the innermost places, in place: afterwards the rank is kMaxRank and the leading axes have
// one element, so that kernels index the arrays with constants. `strides` are the arrays of the
// operands, innermost axis last.
template <int kMaxRank, int kOperands>
void merge_axes(long long& rank, long long (&shape)[kMaxRank],
                long long (*const (&strides)[kOperands])[kMaxRank]) {
  int to = kMaxRank - 1;  // the axis that is being filled; everything inside of it is done
  long long merged = 1;   // its extent so far
  long long stride_of[kOperands] = {};
  long long new_strides[kOperands][kMaxRank] = {}, new_shape[kMaxRank];
  for (int axis = 0; axis < kMaxRank; ++axis) new_shape[axis] = 1;
  for (long long axis = rank - 1; axis >= 0; --axis) {
    if (shape[axis] == 1) continue;
    bool continues = merged != 1;
    for (int i = 0; i < kOperands; ++i) {
      continues = continues && (*strides[i])[axis] == stride_of[i] * merged;
    }
    if (!continues) {
      if (merged != 1) --to;
      merged = 1;
      for (int i = 0; i < kOperands; ++i) {
        stride_of[i] = (*strides[i])[axis];
        new_strides[i][to] = stride_of[i];
      }
    }
    merged *= shape[axis];
    new_shape[to] = merged;
  }
  rank = kMaxRank;
  for (int axis = 0; axis < kMaxRank; ++axis) {
    shape[axis] = new_shape[axis];
    for (int i = 0; i < kOperands; ++i) (*strides[i])[axis] = new_strides[i][axis];
  }
  if (merged == 1) {  // one element: its strides serve any kernel
    for (int i = 0; i < kOperands; ++i) (*strides[i])[kMaxRank - 1] = 1;
  }
}

}  // namespace framepack
