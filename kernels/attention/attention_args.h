// Contract of attention, shared by the addon, the CPU device, the CUDA device and the kernel.
//
//   out[b, i, h, :] = sum_j softmax_j(scale * q[b, i, h, :] . k[b, j, h / group, :]) * v[b, j, h / group, :]
//
// group = heads / kv_heads. Scores, maxima and sums are f32, in bf16 with the exception of matmul_args.h.
// Memory is O(L): nothing of size L * S exists.
#pragma once
#include "../device/dtype.h"

namespace framepack {

// kCausal: query i sees keys j <= i + (key_tokens - query_tokens).
// kFrameCausal: query i sees keys j with j / frame_tokens <= i / frame_tokens.
enum class AttentionMask : int { kNone = 0, kCausal = 1, kFrameCausal = 2 };

// Strides are in elements; the innermost axis (head_width) is contiguous.
struct AttentionStrides {
  long long batch, token, head;
};

struct AttentionArgs {
  const void* q;  // [B, L, N, K]
  const void* k;  // [B, S, N_kv, K]
  const void* v;  // [B, S, N_kv, K]
  void* out;      // [B, L, N, K]
  // Varlen: segment g attends query rows [query_offsets[g], query_offsets[g + 1]) to key rows
  // [key_offsets[g], key_offsets[g + 1]); batch is 1. Both are null and num_segments is 0 without segments.
  // Rows of q in no segment are written as zeros.
  const int* query_offsets;
  const int* key_offsets;
  long long num_segments;
  long long batch, query_tokens, key_tokens, heads, kv_heads, head_width;
  AttentionStrides q_stride, k_stride, v_stride, out_stride;
  long long frame_tokens;  // tokens per frame for kFrameCausal, else 0
  float scale;
  AttentionMask mask;
  DType dtype;  // f32, f16, bf16; the same for q, k, v and out
};

}  // namespace framepack
