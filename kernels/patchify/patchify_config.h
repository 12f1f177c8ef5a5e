// Which patchify and unpatchify kernels run, as pure functions of the arguments. No CUDA headers.
#pragma once
#include "../device/gemm.h"
#include "../device/launch.h"
#include "patchify_args.h"

namespace framepack {

constexpr GemmTile kPatchTile = {64, 64, 2, 2, 3};
constexpr int kUnpatchThreads = 256;

inline Launch plan_patchify(const PatchifyArgs& args, const DeviceTraits&) {
  const long long tokens = args.batch * ceil_div(args.extent[0], args.kernel[0]) *
                           ceil_div(args.extent[1], args.kernel[1]) *
                           ceil_div(args.extent[2], args.kernel[2]);
  if (tokens == 0 || args.width == 0) return {};
  static_assert(kPatchTile.block_m == kGemmF32Block && kPatchTile.block_n == kGemmF32Block);
  const unsigned tiles =
      static_cast<unsigned>(ceil_div(tokens, kGemmF32Block) * ceil_div(args.width, kGemmF32Block));
  if (args.x_dtype == DType::kF32 || args.w_dtype != args.x_dtype) {
    return {"patchify_f32_64x64", {tiles, 1, 1}, {kGemmF32Threads, 1, 1}, kGemmF32SharedBytes};
  }
  return {args.x_dtype == DType::kF16 ? "patchify_f16_64x64" : "patchify_bf16_64x64",
          {tiles, 1, 1},
          {static_cast<unsigned>(kPatchTile.threads()), 1, 1},
          static_cast<unsigned>(kPatchTile.shared_bytes(2))};
}

inline Launch plan_unpatchify(const UnpatchifyArgs& args, const DeviceTraits&) {
  const long long elements = args.batch * args.channels * args.grid[0] * args.patch[0] *
                             args.grid[1] * args.patch[1] * args.grid[2] * args.patch[2];
  return {args.dtype == DType::kF32 ? "unpatchify_32_bit" : "unpatchify_16_bit",
          {static_cast<unsigned>(ceil_div(elements, kUnpatchThreads)), 1, 1},
          {kUnpatchThreads, 1, 1},
          0};
}

}  // namespace framepack
