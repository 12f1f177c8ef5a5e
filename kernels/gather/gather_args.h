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

constexpr int kIndexedMaxRank = 6;

// Copies by index along one axis, on views of any strides. With s and t the positions of an element of `indices` in
// x and out, whose strides along the axis are 0, and i its value:
//   gather    out[t] = x[s + i * axis_stride]; zero where i is not in [0, axis)
//   scatter   out[t + i * axis_stride] = x[s]; nothing where i is not in [0, axis). Where indices repeat, any one of
//             the elements is written.
struct IndexedArgs {
  const void* x;
  const int* indices;
  void* out;
  long long rank;
  long long shape[kIndexedMaxRank];     // of indices
  long long x_stride[kIndexedMaxRank];  // elements
  long long index_stride[kIndexedMaxRank];
  long long out_stride[kIndexedMaxRank];
  long long axis, axis_stride;  // extent and stride of the axis that the indices choose from
  bool is_scatter;
  DType dtype;  // of x and out; any
};

}  // namespace framepack
