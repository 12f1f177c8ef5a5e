// Attention on the FMA units: f32, and everything the tensor-core kernels refuse (odd widths and strides).
//
// Mapping    32 queries x 128 output columns per block, 8 warps of 4 queries. For the scores a lane is a
//            key, for the output it is a column (4 columns, 32 apart).
// Shared     32 columns of 32 rows of q and of k (pitch 36: 16-byte loads of 8 rows hit all banks), and 32
//            rows x 128 columns of v: 25 KB. The width is walked in pieces of 32.
// Numerics   all f32.
#pragma once
#include "../device/convert.cuh"
#include "../device/math.cuh"
#include "attention_rows.cuh"

namespace framepack {
namespace {

struct AttentionF32Storage {
  float q[kAttentionF32Queries][kAttentionF32Pitch];
  float k[kAttentionF32Keys][kAttentionF32Pitch];
  float v[kAttentionF32Keys][kAttentionF32Columns];
};
static_assert(sizeof(AttentionF32Storage) == kAttentionF32SharedBytes);

FP_DEVICE float4 load_four(const float* source) { return *reinterpret_cast<const float4*>(source); }

FP_DEVICE void attention_f32(const AttentionArgs& args) {
  constexpr int kRows = 4;  // queries of a warp
  auto& shared = shared_storage<AttentionF32Storage>();
  AttentionRows rows;
  if (!find_rows(rows, args, kAttentionF32Queries)) return;
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const int head = blockIdx.y, width = static_cast<int>(args.head_width);
  const int parts = (width + kAttentionF32Columns - 1) / kAttentionF32Columns;
  const int batch = blockIdx.z / parts, first_column = blockIdx.z % parts * kAttentionF32Columns;
  const int kv_head = head / (static_cast<int>(args.heads) / static_cast<int>(args.kv_heads));
  const int queries = min(kAttentionF32Queries, rows.queries - rows.first);
  const int key_end = rows.visible_keys(args, rows.first + queries - 1);
  const float scale_log2 = args.scale * kLog2E;
  const auto offset = [&](const AttentionStrides& stride, int token, int h) {
    return batch * stride.batch + token * stride.token + h * stride.head;
  };

  float out[kRows][4] = {}, row_max[kRows], row_sum[kRows] = {};
  int limit[kRows];
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    row_max[r] = -INFINITY;
    limit[r] = rows.visible_keys(args, rows.first + warp * kRows + r);
  }
  for (int key = 0; key < key_end; key += kAttentionF32Keys) {
    float scores[kRows] = {};
    for (int d0 = 0; d0 < width; d0 += 32) {
      __syncthreads();  // the tiles of the piece before have been read
#pragma unroll 1
      for (int i = 0; i < 4; ++i) {
        const int r = warp + i * 8, d = d0 + lane;
        const bool has_q = r < queries && d < width, has_k = key + r < key_end && d < width;
        const int q_token = rows.query_begin + rows.first + r, k_token = rows.key_begin + key + r;
        shared.q[r][lane] =
            has_q ? load_element(args.q, args.dtype, offset(args.q_stride, q_token, head) + d)
                  : 0.f;
        shared.k[r][lane] =
            has_k ? load_element(args.k, args.dtype, offset(args.k_stride, k_token, kv_head) + d)
                  : 0.f;
      }
      __syncthreads();
#pragma unroll
      for (int d = 0; d < 32; d += 4) {
        const float4 k = load_four(&shared.k[lane][d]);
#pragma unroll
        for (int r = 0; r < kRows; ++r) {
          const float4 q = load_four(&shared.q[warp * kRows + r][d]);
          scores[r] = fmaf(q.x, k.x, fmaf(q.y, k.y, fmaf(q.z, k.z, fmaf(q.w, k.w, scores[r]))));
        }
      }
    }
    // v was last read before the barriers above.
#pragma unroll 1
    for (int i = 0; i < kAttentionF32Keys / 8; ++i) {
      const int r = warp + i * 8;
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const int column = first_column + j * 32 + lane;
        const bool exists = key + r < key_end && column < width;
        const long long at = offset(args.v_stride, rows.key_begin + key + r, kv_head) + column;
        shared.v[r][j * 32 + lane] = exists ? load_element(args.v, args.dtype, at) : 0.f;
      }
    }
    __syncthreads();
    float p[kRows];
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      const float score = key + lane < limit[r] ? scores[r] : -INFINITY;
      const float maximum = fmaxf(row_max[r], warp_max(score));
      const float shift = maximum == -INFINITY ? 0.f : maximum * scale_log2;
      const float alpha = ptx::ex2(fmaf(row_max[r], scale_log2, -shift));
      row_max[r] = maximum;
      p[r] = ptx::ex2(fmaf(score, scale_log2, -shift));
      row_sum[r] = fmaf(row_sum[r], alpha, warp_sum(p[r]));
#pragma unroll
      for (int j = 0; j < 4; ++j) out[r][j] *= alpha;
    }
#pragma unroll 4
    for (int j = 0; j < kAttentionF32Keys; ++j) {
      float v[4];
#pragma unroll
      for (int c = 0; c < 4; ++c) v[c] = shared.v[j][c * 32 + lane];
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        const float weight = __shfl_sync(kAllLanes, p[r], j);
#pragma unroll
        for (int c = 0; c < 4; ++c) out[r][c] = fmaf(weight, v[c], out[r][c]);
      }
    }
  }
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    const int query = warp * kRows + r;
    if (query >= queries) continue;
    const float inverse = row_sum[r] > 0.f ? ptx::rcp(row_sum[r]) : 0.f;
    const long long at = offset(args.out_stride, rows.query_begin + rows.first + query, head);
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      const int column = first_column + c * 32 + lane;
      if (column < width) store_element(args.out, args.dtype, at + column, out[r][c] * inverse);
    }
  }
}

}  // namespace
}  // namespace framepack
