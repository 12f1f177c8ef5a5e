// Contract of patchify and unpatchify, shared by the addon, the CPU device, the CUDA device and the kernels.
#pragma once
#include "../device/dtype.h"

namespace framepack {

// Strided convolution with kernel = stride as a gather and a projection. The high side of T, H and W is padded by
// repeating the last slice up to multiples of the kernel.
//   out[b, (t, h, w), d] = bias[d] + sum_{c, i, j, l} w[d, c, i, j, l] * x[b, c, kt t + i, kh h + j, kw w + l]
// Tokens are ordered (t, h, w), w fastest. Kernels: k x 2k x 2k for k = 1, 2, 4, 8, 16, and 1 x p x p for pictures.
struct PatchifyArgs {
  const void* x;     // [B, C, T, H, W], strides below (elements)
  const void* w;     // [D, C, kT, kH, kW] contiguous
  const void* bias;  // [D] or null
  void* out;         // [B, ceil(T / kT) * ceil(H / kH) * ceil(W / kW), D] contiguous
  long long batch, channels, width;  // width = D
  long long extent[3];               // T, H, W
  long long kernel[3];
  long long x_batch_stride, x_channel_stride, x_stride[3];
  DType x_dtype;  // f32, f16, bf16
  DType w_dtype;  // f32, f16, bf16
  DType bias_dtype;
  DType out_dtype;
};

// Inverse layout of a projection to C * pT * pH * pW columns (c slowest):
//   out[b, c, pT t + i, pH h + j, pW w + l] = x[b, (t, h, w), ((c pT + i) pH + j) pW + l]
struct UnpatchifyArgs {
  const void* x;  // [B, grid[0] * grid[1] * grid[2], C * pT * pH * pW], token stride below
  void* out;      // [B, C, grid[0] * pT, grid[1] * pH, grid[2] * pW] contiguous
  long long batch, channels;
  long long grid[3], patch[3];
  long long x_batch_stride, x_token_stride;
  DType dtype;  // f32, f16, bf16
};

}  // namespace framepack
