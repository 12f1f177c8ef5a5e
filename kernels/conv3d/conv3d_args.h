// Contract of conv3d, shared by the addon, the CPU device, the CUDA device and the kernel. Channels last.
//
//   out[b, t, h, w, o] = residual[...] + bias[o]
//                      + sum_{i, j, l, c} w[o, i, j, l, c] * x[b, cl(st t + i - pt, T), cl(sh h + j - ph, H), cl(sw w + l - pw, W), c]
//   cl(a, N) = min(max(a, 0), N - 1)
//
// Replicate padding on both sides of every axis by clamping; a causal 3 x 3 x 3 convolution has pad = {2, 1, 1}.
// Sums are f32. The im2col matrix never exists. The CPU device may sum transformed pixels and taps instead
// (native/cpu/contraction/winograd.cc).
#pragma once
#include "../device/dtype.h"

namespace framepack {

struct Conv3dArgs {
  const void* x;         // [B, T, H, W, C_in] contiguous
  const void* w;         // [C_out, kT, kH, kW, C_in] contiguous
  const void* bias;      // [C_out] or null
  const void* residual;  // as out with the same strides, or null
  // [B, out_extent[0], out_extent[1], out_extent[2], C_out], strides below, channels contiguous
  void* out;
  long long batch, in_channels, out_channels;
  long long in_extent[3];  // T, H, W
  long long out_extent[3];
  long long kernel[3], stride[3], pad[3];  // pad: low side
  // In elements; strided outputs serve the polyphase upsampler.
  long long out_batch_stride, out_stride[3];
  DType dtype;    // x, residual and out: f32, f16, bf16
  DType w_dtype;  // f32, f16, bf16
  DType bias_dtype;
};

}  // namespace framepack
