// Attention for a head of up to 512 columns (the VAE's single head): the output of 16 queries alone would
// fill the registers of a warp, so the warps of a block split the columns.
//
// Mapping    32 queries per block, 8 warps: warp (r, c) owns queries 16 r .. and, of a step of 32 keys, the
//            scores of keys 8 c .. and then output columns 128 c ...
// Shared     q, k, v: 32 rows of 1024 bytes each (96 KB), p: 32 x 32 probabilities (2 KB), statistics: one
//            f32 per (c, query) (512 B): 98.5 KB, within the 99 KB of the smallest parts.
// Pipeline   k and v have one buffer each. v of a step is copied while its scores are computed, k of the
//            next step while v is multiplied.
// Exchange   the four warps of a row of warps meet twice per step: for the maxima, and for p.
// Cost       4 L S K FLOPs; k and v are read once per 32 queries from L2.
#pragma once
#include "../device/convert.cuh"
#include "../device/math.cuh"
#include "attention_rows.cuh"

namespace framepack {
namespace {

struct WideStorage {
  unsigned char q[kWideQueries * kWideWidth * 2];
  unsigned char k[kWideKeys * kWideWidth * 2];
  unsigned char v[kWideKeys * kWideWidth * 2];
  unsigned char p[kWideQueries * kWideKeys * 2];
  float statistic[4][kWideQueries];  // [warp column][query]: maxima in a step, sums at the end
};
static_assert(sizeof(WideStorage) == kWideSharedBytes);

constexpr int kWideChunks = kWideWidth / 8;
constexpr int kWideColumnTiles = kWideWidth / 4 / 8;  // of one warp

// scores[16 x 8] over the whole width, in two chains of mma.
template <class Element>
FP_DEVICE void wide_scores(float (&scores)[4], uint32_t q_tile, uint32_t k_tile, int warp_row,
                           int warp_key) {
  const int lane = threadIdx.x & 31;
  const TileCursor<kWideChunks> q_cursor(warp_row + (lane & 15), lane >> 4);
  const TileCursor<kWideChunks> k_cursor(warp_key + (lane & 7), lane >> 3);
  float odd[4] = {};
#pragma unroll 4
  for (int chunk = 0; chunk < kWideChunks; chunk += 4) {
    uint32_t q[2][4], k[4];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      ptx::ldmatrix_x4(q[half], q_tile + q_cursor.offset(0, chunk + half * 2));
    }
    ptx::ldmatrix_x4(k, k_tile + k_cursor.offset(0, chunk));
    Element::mma(scores, q[0], k[0], k[1]);
    Element::mma(odd, q[1], k[2], k[3]);
  }
#pragma unroll
  for (int e = 0; e < 4; ++e) scores[e] += odd[e];
}

template <class Element>
FP_DEVICE void wide_values(float (&out)[kWideColumnTiles][4], uint32_t p_tile, uint32_t v_tile,
                           int warp_row, int warp_chunk) {
  const int lane = threadIdx.x & 31;
  const TileCursor<kWideKeys / 8> p_cursor(warp_row + (lane & 15), lane >> 4);
  const TileCursor<kWideChunks> v_cursor(lane & 15, warp_chunk + (lane >> 4));
#pragma unroll
  for (int kk = 0; kk < kWideKeys / 16; ++kk) {
    uint32_t p[4];
    ptx::ldmatrix_x4(
        p, p_tile + tile_offset<kWideKeys / 8>(warp_row + (lane & 15), kk * 2 + (lane >> 4)));
#pragma unroll
    for (int n = 0; n < kWideColumnTiles; n += 2) {
      uint32_t v[4];
      ptx::ldmatrix_x4_trans(v, v_tile + v_cursor.offset(kk * 16, n));
      Element::mma(out[n], p, v[0], v[1]);
      Element::mma(out[n + 1], p, v[2], v[3]);
    }
  }
}

template <class Element>
FP_DEVICE void attention_wide(const AttentionArgs& args) {
  auto& shared = shared_storage<WideStorage>();
  AttentionRows rows;
  if (!find_rows(rows, args, kWideQueries)) return;
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const int warp_row = (warp >> 2) * 16, warp_column = warp & 3;
  const int head = blockIdx.y, batch = blockIdx.z;
  const int kv_head = head / (static_cast<int>(args.heads) / static_cast<int>(args.kv_heads));
  const int chunks = static_cast<int>(args.head_width) / 8;
  const int queries = min(kWideQueries, rows.queries - rows.first);
  const int key_end = rows.visible_keys(args, rows.first + queries - 1);
  const uint32_t k_stride = static_cast<uint32_t>(args.k_stride.token * 2);
  const uint32_t v_stride = static_cast<uint32_t>(args.v_stride.token * 2);
  const char* k = row_pointer(args.k, args.k_stride, batch, rows.key_begin, kv_head);
  const char* v = row_pointer(args.v, args.v_stride, batch, rows.key_begin, kv_head);
  const uint32_t q_tile = shared_address(shared.q), k_tile = shared_address(shared.k);
  const uint32_t v_tile = shared_address(shared.v), p_tile = shared_address(shared.p);
  const float scale_log2 = args.scale * kLog2E;

  float out[kWideColumnTiles][4] = {};
  float row_max[2] = {-INFINITY, -INFINITY}, row_sum[2] = {0.f, 0.f};
  int row[2], limit[2];
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    row[h] = warp_row + lane / 4 + h * 8;
    limit[h] = rows.visible_keys(args, rows.first + row[h]);
  }
  if (key_end > 0) {
    load_rows<kWideQueries, kWideChunks, kWideThreads>(
        q_tile, row_pointer(args.q, args.q_stride, batch, rows.query_begin + rows.first, head),
        static_cast<uint32_t>(args.q_stride.token * 2), queries, chunks);
    load_rows<kWideKeys, kWideChunks, kWideThreads>(k_tile, k, k_stride, key_end, chunks);
  }
  ptx::cp_async_commit();
  for (int key = 0; key < key_end; key += kWideKeys) {
    ptx::cp_async_wait<0>();
    __syncthreads();  // k is here; v and p of the step before have been read
    load_rows<kWideKeys, kWideChunks, kWideThreads>(v_tile, v, v_stride, key_end - key, chunks);
    ptx::cp_async_commit();
    v += static_cast<long long>(kWideKeys) * v_stride;

    float scores[4] = {};
    wide_scores<Element>(scores, q_tile, k_tile, warp_row, warp_column * 8);
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const int first_key = key + warp_column * 8 + (lane & 3) * 2;
      if (first_key >= limit[h]) scores[2 * h] = -INFINITY;
      if (first_key + 1 >= limit[h]) scores[2 * h + 1] = -INFINITY;
      const float maximum = quad_max(fmaxf(scores[2 * h], scores[2 * h + 1]));
      if ((lane & 3) == 0) shared.statistic[warp_column][row[h]] = maximum;
    }
    __syncthreads();  // the maxima are here; k has been read
    if (key + kWideKeys < key_end) {
      k += static_cast<long long>(kWideKeys) * k_stride;
      load_rows<kWideKeys, kWideChunks, kWideThreads>(k_tile, k, k_stride,
                                                      key_end - key - kWideKeys, chunks);
    }
    ptx::cp_async_commit();
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      float maximum = row_max[h];
#pragma unroll
      for (int c = 0; c < 4; ++c) maximum = fmaxf(maximum, shared.statistic[c][row[h]]);
      const float offset = maximum == -INFINITY ? 0.f : maximum * scale_log2;
      const float alpha = ptx::ex2(fmaf(row_max[h], scale_log2, -offset));
      row_max[h] = maximum;
      const float p0 = ptx::ex2(fmaf(scores[2 * h], scale_log2, -offset));
      const float p1 = ptx::ex2(fmaf(scores[2 * h + 1], scale_log2, -offset));
      row_sum[h] = fmaf(row_sum[h], alpha, p0 + p1);
      unsigned char* target = shared.p + tile_offset<kWideKeys / 8>(row[h], warp_column);
      *reinterpret_cast<uint32_t*>(target + (lane & 3) * 4) = Element::pack(p0, p1);
#pragma unroll
      for (int n = 0; n < kWideColumnTiles; ++n) {
        out[n][2 * h] *= alpha;
        out[n][2 * h + 1] *= alpha;
      }
    }
    ptx::cp_async_wait<1>();
    __syncthreads();  // v and p are here
    wide_values<Element>(out, p_tile, v_tile, warp_row, warp_column * kWideColumnTiles);
  }
  ptx::cp_async_wait<0>();

#pragma unroll
  for (int h = 0; h < 2; ++h) {
    const float sum = quad_sum(row_sum[h]);
    if ((lane & 3) == 0) shared.statistic[warp_column][row[h]] = sum;
  }
  __syncthreads();
  // Output columns pass through the same columns of q, which belong to this warp alone.
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    float sum = 0.f;
#pragma unroll
    for (int c = 0; c < 4; ++c) sum += shared.statistic[c][row[h]];
    const float inverse = sum > 0.f ? ptx::rcp(sum) : 0.f;
#pragma unroll
    for (int n = 0; n < kWideColumnTiles; ++n) {
      unsigned char* target =
          shared.q + tile_offset<kWideChunks>(row[h], warp_column * kWideColumnTiles + n);
      *reinterpret_cast<uint32_t*>(target + (lane & 3) * 4) =
          Element::pack(out[n][2 * h] * inverse, out[n][2 * h + 1] * inverse);
    }
  }
  __syncwarp();
  char* out_rows = const_cast<char*>(
      row_pointer(args.out, args.out_stride, batch, rows.query_begin + rows.first, head));
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int out_row = warp_row + i * 2 + lane / 16;
    const int chunk = warp_column * kWideColumnTiles + lane % 16;
    if (out_row >= queries || chunk >= chunks) continue;
    *reinterpret_cast<uint4*>(out_rows + out_row * args.out_stride.token * 2 + chunk * 16) =
        *reinterpret_cast<const uint4*>(shared.q + tile_offset<kWideChunks>(out_row, chunk));
  }
}

}  // namespace
}  // namespace framepack
