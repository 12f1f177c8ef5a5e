// Contract of the rotary embedding operations, shared by the addon, the CPU device, the CUDA device and the kernels.
// Tables hold one value per frequency (K / 2 columns), f32 always.
#pragma once
#include "../device/dtype.h"

namespace framepack {

// cos, sin [frames * height * width, (axis_width[0] + axis_width[1] + axis_width[2]) / 2]
// Column c of axis a with frequency index j: angle = f32(position_a) * f32(1 / theta^(2 j / axis_width[a])).
// position_t = frame_positions[t], position_y = 0 .. height - 1, position_x = 0 .. width - 1.
struct RopeTableArgs {
  const int* frame_positions;  // [frames]
  float* cos;
  float* sin;
  long long frames, height, width;
  long long axis_width[3];  // t, y, x; even; 0 leaves the axis out
  float theta;
};

// Average pooling of a table seen as [frames, height, width, columns] with window = stride = pool[3]; the high
// side of every axis is padded by repeating its last slice. cos and sin are averaged, not the angles, and not
// renormalised.
struct RopePoolArgs {
  const float* cos;
  const float* sin;
  // [ceil(frames / pool[0]) * ceil(height / pool[1]) * ceil(width / pool[2]), columns]
  float* cos_out;
  float* sin_out;
  long long frames, height, width, columns;
  long long pool[3];
};

// kInterleaved rotates the pairs (2 j, 2 j + 1); kHalfSplit rotates (j, j + K / 2).
enum class RopeLayout : int { kInterleaved = 0, kHalfSplit = 1 };

// Optional per-head rms-norm, then rotation of the first table_tokens tokens of every batch entry; later tokens
// are only normalised. (a, b) -> (a cos - b sin, b cos + a sin) in f32, rounded once.
struct RopeArgs {
  const void* x;       // [B, L, N, K], strides below, innermost contiguous
  const void* weight;  // [K] rms-norm weight, or null for no normalisation
  const float* cos;    // [table_tokens, K / 2] contiguous
  const float* sin;
  void* out;  // [B, L, N, K], strides below, innermost contiguous
  long long batch, tokens, heads, head_width, table_tokens;
  long long x_batch_stride, x_token_stride, x_head_stride;
  long long out_batch_stride, out_token_stride, out_head_stride;
  float eps;
  RopeLayout layout;
  DType dtype, weight_dtype;
};

}  // namespace framepack
