// matmul for at most 16 rows of a (modulation vectors, embeddings): w is read once and is the whole cost.
//
// Mapping    a block computes 8 columns, warp i takes every 8th step of 64 k's; lane (g, c) reads 16 bytes
//            of row g of w straight into its mma fragment. mma sums over k, so the k's of a step may take
//            any order that a and w share: lane c owns k's 8 c .. 8 c + 7 of each half (16-bit w) or
//            16 c .. 16 c + 15 (e4m3), which makes every load of w 64 contiguous bytes per row.
// Shared     8 warps x 16 rows x 8 columns of f32 partial sums (4 KB), added in warp order.
// Cost       N K w_bytes; 4 mma per 1 KB (16-bit) or 512 B (e4m3) of w, so memory bound.
#pragma once
#include "../device/convert.cuh"
#include "../device/shared.cuh"
#include "matmul_config.h"

namespace framepack {
namespace {

FP_DEVICE uint4 load_16_bytes(const void* base, long long byte, bool exists) {
  if (!exists) return {0, 0, 0, 0};
  return __ldg(reinterpret_cast<const uint4*>(static_cast<const char*>(base) + byte));
}

FP_DEVICE void store_pairs4(uint32_t* pairs, const uint4& packed) {
  pairs[0] = packed.x, pairs[1] = packed.y, pairs[2] = packed.z, pairs[3] = packed.w;
}

// The 16 k's of one row that lane c owns in the step at k0, as 8 pairs. The two 16-byte pieces start at
// `first` and `first + distance`.
FP_DEVICE void load_step_16_bit(uint32_t (&pairs)[8], const void* row, int k0, int first,
                                int distance, int k, bool exists) {
  const int a = k0 + first, b = a + distance;
  store_pairs4(pairs, load_16_bytes(row, a * 2, exists && a < k));
  store_pairs4(pairs + 4, load_16_bytes(row, b * 2, exists && b < k));
}

template <class Element>
FP_DEVICE void load_step_e4m3(uint32_t (&pairs)[8], const void* row, int k0, int first, int k,
                              bool exists) {
  uint32_t bytes[4];
  store_pairs4(bytes, load_16_bytes(row, k0 + first, exists && k0 + first < k));
#pragma unroll
  for (int i = 0; i < 4; ++i) widen_e4m3<Element>(pairs[2 * i], pairs[2 * i + 1], bytes[i]);
}

struct SkinnyStorage {
  float partial[kSkinnyWarps][kSkinnyRows][kSkinnyColumns];
};
static_assert(sizeof(SkinnyStorage) == kSkinnySharedBytes);

template <class Element, class Weight, class Epilogue>
FP_DEVICE void matmul_skinny(const MatmulArgs& args, const Epilogue& epilogue) {
  constexpr bool kIsF8 = Weight::kBytes == 1;
  auto& shared = shared_storage<SkinnyStorage>();
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, g = lane >> 2, c = lane & 3;
  const int m = static_cast<int>(args.m), n = static_cast<int>(args.n),
            k = static_cast<int>(args.k);
  const int column = blockIdx.x * kSkinnyColumns;
  const bool has_column = column + g < n;
  const char* w_row =
      static_cast<const char*>(args.w) + (column + g) * args.w_row_stride * Weight::kBytes;
  const char* a_row = static_cast<const char*>(args.a) + g * args.a_row_stride * 2;
  const char* a_row_8 = a_row + 8 * args.a_row_stride * 2;
  const int first = kIsF8 ? c * 16 : c * 8, distance = kIsF8 ? 8 : 32;
  const int scale_column = min(column + c * 2, n - 1);
  const int next_scale_column = min(column + c * 2 + 1, n - 1);

  float acc[4] = {};
#pragma unroll 2
  for (int k0 = warp * kGemmBlockK; k0 < k; k0 += kSkinnyWarps * kGemmBlockK) {
    uint32_t w[8], a[8], a_8[8] = {};
    if constexpr (kIsF8) {
      load_step_e4m3<Element>(w, w_row, k0, first, k, has_column);
    } else {
      load_step_16_bit(w, w_row, k0, first, distance, k, has_column);
    }
    load_step_16_bit(a, a_row, k0, first, distance, k, g < m);
    if (m > 8) load_step_16_bit(a_8, a_row_8, k0, first, distance, k, g + 8 < m);
    float products[4] = {};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const uint32_t fragment[4] = {a[2 * i], a_8[2 * i], a[2 * i + 1], a_8[2 * i + 1]};
      Element::mma(products, fragment, w[2 * i], w[2 * i + 1]);
    }
    float scales[2] = {1.f, 1.f};
    if (kIsF8 && args.scale_mode == ScaleMode::kBlock64) {
      const int blocks = k / kGemmBlockK, block = k0 / kGemmBlockK;
      scales[0] = args.w_scale[static_cast<long long>(scale_column) * blocks + block];
      scales[1] = args.w_scale[static_cast<long long>(next_scale_column) * blocks + block];
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) acc[i] = fmaf(products[i], scales[i & 1], acc[i]);
  }

  *reinterpret_cast<float2*>(&shared.partial[warp][g][c * 2]) = {acc[0], acc[1]};
  *reinterpret_cast<float2*>(&shared.partial[warp][g + 8][c * 2]) = {acc[2], acc[3]};
  __syncthreads();
  if (threadIdx.x >= 32) return;
  const int row = lane >> 1, part = (lane & 1) * 4;
  float sum[4] = {};
#pragma unroll
  for (int i = 0; i < kSkinnyWarps; ++i) {
    const float4 partial = *reinterpret_cast<const float4*>(&shared.partial[i][row][part]);
    sum[0] += partial.x, sum[1] += partial.y, sum[2] += partial.z, sum[3] += partial.w;
  }
  epilogue(row, part, sum);
}

}  // namespace
}  // namespace framepack
