// f32 matrix product of one block on the FMA units: out[m, n] = sum_k a(m, k) * w(n, k), for operands of
// any dtype, stride or layout. It serves f32 activations and everything the tensor-core kernels refuse.
//
// Mapping    256 threads compute 64 x 64 outputs; thread (y, x) owns rows 4 y .. and columns 4 x ...
// Shared     two [16][64] f32 tiles (8 KB), transposed to k-major; 16-byte chunks of row k are xor-ed with
//            k mod 8, so that the 8 k's x 4 rows that a warp stores at once go to 32 banks.
// Pipeline   the next 16 k's are fetched into registers while the current ones are multiplied.
#pragma once
#include "gemm.cuh"
#include "shared.cuh"

namespace framepack {

struct GemmF32Storage {
  float a[kGemmF32BlockK][kGemmF32Block];
  float w[kGemmF32BlockK][kGemmF32Block];
};
static_assert(sizeof(GemmF32Storage) == kGemmF32SharedBytes);

FP_DEVICE int gemm_f32_column(int k, int row) { return ((row >> 2 ^ (k & 7)) << 2) | (row & 3); }

// load_a(row, k) and load_w(column, k) return elements of the block, zeros outside of it (k included);
// epilogue(row, column, float[4]) stores those that exist.
template <class LoadA, class LoadW, class Epilogue>
FP_DEVICE void gemm_f32(int k, const LoadA& load_a, const LoadW& load_w, const Epilogue& epilogue) {
  auto& shared = shared_storage<GemmF32Storage>();
  const int tid = threadIdx.x, x = tid & 15, y = tid >> 4;
  const int load_k = tid & 7, load_row = tid >> 3;
  float next_a[4], next_w[4];
  const auto fetch = [&](int k0) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int row = load_row + (i & 1) * 32, at = k0 + load_k + (i >> 1) * 8;
      next_a[i] = load_a(row, at);
      next_w[i] = load_w(row, at);
    }
  };
  float acc[4][4] = {};
  fetch(0);
  for (int k0 = 0; k0 < k; k0 += kGemmF32BlockK) {
    __syncthreads();  // the tiles of the step before have been read
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int row = load_row + (i & 1) * 32, at = load_k + (i >> 1) * 8;
      shared.a[at][gemm_f32_column(at, row)] = next_a[i];
      shared.w[at][gemm_f32_column(at, row)] = next_w[i];
    }
    __syncthreads();
    if (k0 + kGemmF32BlockK < k) fetch(k0 + kGemmF32BlockK);
#pragma unroll
    for (int kk = 0; kk < kGemmF32BlockK; ++kk) {
      const float4 a4 = *reinterpret_cast<const float4*>(&shared.a[kk][gemm_f32_column(kk, y * 4)]);
      const float4 w4 = *reinterpret_cast<const float4*>(&shared.w[kk][gemm_f32_column(kk, x * 4)]);
      const float a[4] = {a4.x, a4.y, a4.z, a4.w}, w[4] = {w4.x, w4.y, w4.z, w4.w};
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int j = 0; j < 4; ++j) acc[i][j] = fmaf(a[i], w[j], acc[i][j]);
      }
    }
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) epilogue(y * 4 + i, x * 4, acc[i]);
}

}  // namespace framepack
