// Which matmul kernel runs, as a pure function of the arguments and the device. No CUDA headers.
#pragma once
#include "../device/gemm.h"
#include "../device/launch.h"
#include "matmul_args.h"

namespace framepack {

// Warp tiles of 64 x 64 read half as much shared memory per mma as 64 x 32. Parts with 1024 FMA per clock
// and more than 100 KB need that; on the others a block of 128 x 128 does not wait for shared memory.
constexpr GemmTile kMatmulWide = {128, 256, 2, 4, 3};
// With e4m3 weights two stages are 48 KB, so that two blocks share a multiprocessor of 100 KB.
constexpr GemmTile kMatmulLarge = {128, 128, 2, 4, 3};
constexpr GemmTile kMatmulLargeF8 = {128, 128, 2, 4, 2};
constexpr GemmTile kMatmulSmall = {64, 64, 2, 2, 4};

// Skinny: at most 16 rows of a. A block computes 8 columns; its warps split k.
constexpr int kSkinnyRows = 16;
constexpr int kSkinnyColumns = 8;
constexpr int kSkinnyWarps = 8;
constexpr int kSkinnySharedBytes = kSkinnyWarps * kSkinnyRows * kSkinnyColumns * 4;

// The third extent of a grid has 16 bits.
constexpr long long kMatmulMaxBatch = 65535;

namespace matmul_plan {

// 0 bf16, 1 f16: the rows of the name tables below.
inline int element_index(const MatmulArgs& args) { return args.a_dtype == DType::kF16; }

// The tensor-core kernels copy rows in 16-byte pieces and address a tile with 32-bit byte offsets.
inline bool fits_tensor_cores(const MatmulArgs& args) {
  const bool is_16_bit = args.a_dtype == DType::kBf16 || args.a_dtype == DType::kF16;
  const bool is_f8 = args.w_dtype == DType::kF8E4M3;
  if (!is_16_bit || (args.w_dtype != args.a_dtype && !is_f8)) return false;
  if (args.scale_mode == ScaleMode::kBlock64 && args.k % 64 != 0) return false;
  constexpr long long kMaxStride = 1 << 23;
  return args.k < (1 << 28) && args.a_row_stride < kMaxStride && args.w_row_stride < kMaxStride &&
         is_vector_aligned(args.a, args.a_row_stride, 2) &&
         is_vector_aligned(args.a, args.a_batch_stride, 2) &&
         is_vector_aligned(args.w, args.w_row_stride, is_f8 ? 1 : 2) &&
         is_vector_aligned(args.w, args.w_batch_stride, is_f8 ? 1 : 2);
}

inline unsigned tile_count(const MatmulArgs& args, int block_m, int block_n) {
  return static_cast<unsigned>(ceil_div(args.m, block_m) * ceil_div(args.n, block_n));
}

// The largest tile that gives every multiprocessor one: 0 small, 1 large, 2 wide.
inline int choose_tile(const MatmulArgs& args, const DeviceTraits& traits, int weight_bytes) {
  const auto fills = [&](const GemmTile& tile) {
    return args.n > tile.block_n / 2 && args.m > tile.block_m / 2 &&
           static_cast<unsigned>(tile.shared_bytes(weight_bytes)) <= traits.shared_block_optin &&
           tile_count(args, tile.block_m, tile.block_n) * args.batch >= traits.sm_count;
  };
  constexpr unsigned kSmallPart = 100 * 1024;
  const bool is_wide = traits.shared_block_optin > kSmallPart &&
                       args.scale_mode != ScaleMode::kBlock64 && fills(kMatmulWide);
  return is_wide ? 2 : fills(kMatmulLarge) ? 1 : 0;
}

}  // namespace matmul_plan

// One grid layer per product: at most kMatmulMaxBatch.
inline Launch plan_matmul(const MatmulArgs& args, const DeviceTraits& traits) {
  using namespace matmul_plan;
  if (args.m == 0 || args.n == 0 || args.batch == 0) return {};
  const auto depth = static_cast<unsigned>(args.batch);
  if (!fits_tensor_cores(args)) {
    return {"matmul_f32_64x64",
            {tile_count(args, kGemmF32Block, kGemmF32Block), 1, depth},
            {kGemmF32Threads, 1, 1},
            kGemmF32SharedBytes};
  }
  const int element = element_index(args);
  const bool is_f8 = args.w_dtype == DType::kF8E4M3;
  if (args.m <= kSkinnyRows && args.k % (is_f8 ? 16 : 8) == 0) {
    static constexpr const char* kNames[2][2] = {{"matmul_bf16_skinny", "matmul_bf16_f8_skinny"},
                                                 {"matmul_f16_skinny", "matmul_f16_f8_skinny"}};
    return {kNames[element][is_f8],
            {static_cast<unsigned>(ceil_div(args.n, kSkinnyColumns)), 1, depth},
            {kSkinnyWarps * 32, 1, 1},
            kSkinnySharedBytes};
  }
  static constexpr const char* kNames[2][3][3] = {
      {{"matmul_bf16_64x64", "matmul_bf16_128x128", "matmul_bf16_128x256"},
       {"matmul_bf16_f8_64x64", "matmul_bf16_f8_128x128", "matmul_bf16_f8_128x256"},
       {"matmul_bf16_f8_block_64x64", "matmul_bf16_f8_block_128x128", nullptr}},
      {{"matmul_f16_64x64", "matmul_f16_128x128", "matmul_f16_128x256"},
       {"matmul_f16_f8_64x64", "matmul_f16_f8_128x128", "matmul_f16_f8_128x256"},
       {"matmul_f16_f8_block_64x64", "matmul_f16_f8_block_128x128", nullptr}}};
  const GemmTile tiles[3] = {kMatmulSmall, is_f8 ? kMatmulLargeF8 : kMatmulLarge, kMatmulWide};
  const int choice = choose_tile(args, traits, is_f8 ? 1 : 2);
  const GemmTile& tile = tiles[choice];
  const int weight = is_f8 + (args.scale_mode == ScaleMode::kBlock64);
  return {kNames[element][weight][choice],
          {tile_count(args, tile.block_m, tile.block_n), 1, depth},
          {static_cast<unsigned>(tile.threads()), 1, 1},
          static_cast<unsigned>(tile.shared_bytes(is_f8 ? 1 : 2))};
}

}  // namespace framepack
