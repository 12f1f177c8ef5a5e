// Contract of the normalisations, shared by the addon, the CPU device, the CUDA device and the kernels.
// Statistics are f32 or wider (biased variance); the result is rounded once to the dtype of out.
#pragma once
#include "../device/dtype.h"

namespace framepack {

// y = ((x - mean) / sqrt(var + eps) * weight + bias) * (1 + scale[r / rows_per_modulation]) + shift[same]
struct LayerNormArgs {
  const void* x;       // [rows, D], row stride x_row_stride
  const void* weight;  // [D] or null
  const void* bias;    // [D] or null
  const void* scale;   // [rows / rows_per_modulation, D], row stride modulation_row_stride, or null
  const void* shift;   // same layout as scale, or null
  void* out;           // [rows, D] contiguous, dtype of x
  long long rows, width;
  long long x_row_stride, modulation_row_stride, rows_per_modulation;
  float eps;
  DType dtype;             // x and out: f32, f16, bf16
  DType affine_dtype;      // weight and bias
  DType modulation_dtype;  // scale and shift
};

// y = x / sqrt(mean(x^2) + eps) * weight
struct RmsNormArgs {
  const void* x;       // [rows, D], row stride x_row_stride
  const void* weight;  // [D]
  void* out;           // [rows, D] contiguous, dtype of x
  long long rows, width, x_row_stride;
  float eps;
  DType dtype, weight_dtype;
};

// Statistics over positions x (C / groups) channels of the whole tensor handed in; optional SiLU after the affine.
struct GroupNormArgs {
  const void* x;       // [B, positions, C] contiguous (channels last)
  const void* weight;  // [C]
  const void* bias;    // [C]
  void* out;           // as x
  void* workspace;     // device scratch of group_norm_workspace_bytes(); null on the CPU device
  long long batch, positions, channels, groups;
  float eps;
  int silu;  // 1: SiLU on the result
  DType dtype, affine_dtype;
};

}  // namespace framepack
