// Contract of matmul, shared by the addon, the CPU device, the CUDA device and the kernel.
//
//   out[m, n] = residual[m, n] + gate[m / gate_rows, n] * act(sum_k a[m, k] * w[n, k] * scale(n, k) + bias[n])
//
// for each of `batch` products. Sums are f32; every rounding to out_dtype happens once, at the end. The CPU device may sum 32 products
// at a time in f16 where a and out are bf16; that adds half the error of the rounding to bf16.
#pragma once
#include "../device/dtype.h"

namespace framepack {

enum class Activation : int { kNone = 0, kGeluTanh = 1, kSilu = 2, kQuickGelu = 3 };

// How w_scale multiplies an fp8 weight: one f32 for all, one per row n, or one per 64 consecutive k of a row
// (row-major [N, K / 64]).
enum class ScaleMode : int { kNone = 0, kTensor = 1, kChannel = 2, kBlock64 = 3 };

struct MatmulArgs {
  const void* a;         // [M, K], row stride a_row_stride, unit column stride
  const void* w;         // [N, K], row stride w_row_stride, unit column stride
  const float* w_scale;  // see ScaleMode, null for kNone
  const void* bias;      // [N] or null
  const void* residual;  // [M, N] of out_dtype, row stride residual_row_stride, or null
  const void* gate;      // [M / gate_rows, N], contiguous, or null
  void* out;             // [M, N], row stride out_row_stride
  long long m, n, k;
  long long a_row_stride, w_row_stride, residual_row_stride, out_row_stride;  // elements
  // Products of one shape, so many elements apart; a stride of 0 shares the operand. With more than one the
  // weight is no e4m3, and there are no residual and gate; the bias is shared.
  long long batch;
  long long a_batch_stride, w_batch_stride, out_batch_stride;
  long long gate_rows;           // consecutive rows of out that share one gate row; 1 or more
  DType a_dtype;                 // f32, f16, bf16
  DType w_dtype;                 // f32, f16, bf16, f8e4m3
  DType bias_dtype, gate_dtype;  // f32, f16, bf16
  DType out_dtype;               // f32, f16, bf16
  Activation activation;
  ScaleMode scale_mode;
};

}  // namespace framepack
