// Contract of copies, fills and the fp8 quantiser, shared by the addon, the CPU device, the CUDA device and the
// kernels. Float conversions round to nearest even; f32 -> f8e4m3 saturates to +-448 (no infinities).
#pragma once
#include "../device/dtype.h"

namespace framepack {

constexpr int kCopyMaxRank = 6;

// out[i...] = convert(x[i...]) between arbitrary strided views: contiguous(), concat() and cast() are this.
struct CopyArgs {
  const void* x;
  void* out;
  long long rank;
  long long shape[kCopyMaxRank];
  long long x_stride[kCopyMaxRank];  // elements; 0 on broadcast axes
  long long out_stride[kCopyMaxRank];
  // Any pair of float types; i32 and u8 convert to and from float types and themselves.
  DType x_dtype, out_dtype;
};

struct FillArgs {
  void* out;  // contiguous
  long long count;
  float value;
  DType dtype;
};

// Per group g of one row: scale[g] = max(max |w| / 448, 1e-8), q = e4m3(clamp(w / scale, +-448)), NaN -> 0.
// group_width is K for one scale per row ([rows]), 64 for [rows, K / 64]; rows * K collapsed to one row for one scale.
struct QuantizeArgs {
  const void* w;  // [rows, K] contiguous: f32, f16, bf16
  void* q;        // [rows, K] f8e4m3
  float* scale;   // [rows, K / group_width]
  long long rows, width, group_width;
  DType dtype;
};

// out = f8e4m3(q) * scale, rounded once.
struct DequantizeArgs {
  const void* q;       // [rows, K] f8e4m3
  const float* scale;  // [rows, K / group_width]
  void* out;           // [rows, K]: f32, f16, bf16
  long long rows, width, group_width;
  DType dtype;
};

}  // namespace framepack
