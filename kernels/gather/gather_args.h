// Contract of the gathers, shared by the addon, the CPU device, the CUDA device and the kernels.
#pragma once
#include "../device/dtype.h"

namespace framepack {

// out[l, :] = table[ids[l], :], converted to out_dtype. Ids are checked before the call (they come from the host).
struct EmbeddingArgs {
  const int* ids;     // [tokens]
  const void* table;  // [vocabulary, D] contiguous
  void* out;          // [tokens, D] contiguous
  long long tokens, vocabulary, width;
  DType table_dtype, out_dtype;  // f32, f16, bf16
};

// Nearest-neighbour upsampling, channels last, by whole factors. With factor[0] = 2 the first frame is not doubled:
// source frame of output frame u is 0 for u = 0, else 1 + (u - 1) / 2, and 2 T - 1 frames leave.
struct UpsampleArgs {
  const void* x;  // [B, T, H, W, C] contiguous
  void* out;      // [B, T', H * factor[1], W * factor[2], C] contiguous
  long long batch, channels;
  long long extent[3];
  long long factor[3];  // factor[0] is 1 or 2
  DType dtype;          // f32, f16, bf16
};

}  // namespace framepack
