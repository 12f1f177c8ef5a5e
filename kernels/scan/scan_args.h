// Contract of the operations that walk one axis, shared by the addon, the CPU device, the CUDA device and the
// kernels. Tensors are seen as [outer, axis, inner].
#pragma once
#include "../device/dtype.h"

namespace framepack {

// out[o, a, i] = sum of x[o, 0 .. a, i]. Accumulates in f32 pairs or wider, rounds every element once.
struct CumsumArgs {
  const void* x;  // [outer, axis, inner] contiguous
  void* out;      // as x
  long long outer, axis, inner;
  DType dtype;      // f32, f16, bf16
  DType out_dtype;  // f32, f16, bf16
};

// The k first elements of every line in order of size, largest or smallest first, and where they were. Equal
// elements keep their order, -0 equals 0, and NaN counts as larger than every number.
struct TopKArgs {
  const void* x;                    // [outer, axis, inner] contiguous
  void* values;                     // [outer, k, inner] contiguous, dtype of x
  int* indices;                     // as values
  long long outer, axis, inner, k;  // k <= axis < 2^31
  bool is_largest;
  DType dtype;  // f32, f16, bf16
};

}  // namespace framepack
