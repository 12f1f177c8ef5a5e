// Contract of the reductions, shared by the addon, the CPU device, the CUDA device and the kernels.
// x is seen as [outer, axis, inner] and reduced over axis in a fixed order (f32 or wider accumulation), so that
// the result does not depend on thread or block counts.
#pragma once
#include "../device/dtype.h"

namespace framepack {

enum class ReduceOp : int {
  kSum = 0,
  kMean = 1,
  kAbsMean = 2,  // mean |x - y| (y may be null: mean |x|)
  kStd = 3,      // unbiased: divisor axis - 1
  kMaxAbs = 4,
  kCountNonFinite = 5,  // number of NaN and infinite elements, as f32
  kMax = 6,             // NaN if one of the elements is; minus infinity of none
  kMin = 7,             // NaN if one of the elements is; infinity of none
};

struct ReduceArgs {
  const void* x;    // [outer, axis, inner] contiguous
  const void* y;    // kAbsMean only, as x, or null
  void* out;        // [outer, inner] contiguous
  void* workspace;  // device scratch; null on the CPU device
  long long outer, axis, inner;
  ReduceOp op;
  DType dtype;      // x and y: f32, f16, bf16
  DType out_dtype;  // f32, f16, bf16
};

}  // namespace framepack
