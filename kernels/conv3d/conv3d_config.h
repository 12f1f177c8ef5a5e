// Which conv3d kernel runs, as a pure function of the arguments and the device. No CUDA headers.
#pragma once
#include "../device/gemm.h"
#include "../device/launch.h"
#include "conv3d_args.h"

namespace framepack {

constexpr GemmTile kConvLarge = {128, 128, 2, 4, 3};
constexpr GemmTile kConvSmall = {64, 64, 2, 2, 4};
constexpr GemmTile kConvNarrow = {128, 16, 8, 1, 3};  // few output channels: pictures, moments

namespace conv3d_plan {

inline long long pixels(const Conv3dArgs& args) {
  return args.batch * args.out_extent[0] * args.out_extent[1] * args.out_extent[2];
}

inline unsigned tile_count(const Conv3dArgs& args, int block_m, int block_n) {
  return static_cast<unsigned>(ceil_div(pixels(args), block_m) *
                               ceil_div(args.out_channels, block_n));
}

inline Launch launch(const char* kernel, const Conv3dArgs& args, const GemmTile& tile) {
  return {kernel,
          {tile_count(args, tile.block_m, tile.block_n), 1, 1},
          {static_cast<unsigned>(tile.threads()), 1, 1},
          static_cast<unsigned>(tile.shared_bytes(2))};
}

}  // namespace conv3d_plan

inline Launch plan_conv3d(const Conv3dArgs& args, const DeviceTraits& traits) {
  using namespace conv3d_plan;
  if (pixels(args) == 0 || args.out_channels == 0) return {};
  if (args.dtype == DType::kF32 || args.w_dtype != args.dtype) {
    return {"conv3d_f32_64x64",
            {tile_count(args, kGemmF32Block, kGemmF32Block), 1, 1},
            {kGemmF32Threads, 1, 1},
            kGemmF32SharedBytes};
  }
  const bool is_f16 = args.dtype == DType::kF16;
  const bool is_gather = args.in_channels % 8 != 0 || !is_vector_aligned(args.x, 0, 2) ||
                         !is_vector_aligned(args.w, 0, 2);
  if (is_gather) {
    return launch(is_f16 ? "conv3d_f16_gather_64x64" : "conv3d_bf16_gather_64x64", args,
                  kConvSmall);
  }
  if (args.out_channels <= kConvNarrow.block_n) {
    return launch(is_f16 ? "conv3d_f16_128x16" : "conv3d_bf16_128x16", args, kConvNarrow);
  }
  const bool is_large = args.out_channels > kConvSmall.block_n &&
                        tile_count(args, kConvLarge.block_m, kConvLarge.block_n) >=
                            static_cast<unsigned>(traits.sm_count);
  if (is_large)
    return launch(is_f16 ? "conv3d_f16_128x128" : "conv3d_bf16_128x128", args, kConvLarge);
  return launch(is_f16 ? "conv3d_f16_64x64" : "conv3d_bf16_64x64", args, kConvSmall);
}

}  // namespace framepack
