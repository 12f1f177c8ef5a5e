// patchify    out[b, (t, h, w), d] = bias[d] + sum_{c, i, j, l} w[d, c, i, j, l] x[b, c, kt t + i, kh h + j, kw w + l]
// unpatchify  out[b, c, pT t + i, pH h + j, pW w + l] = x[b, (t, h, w), ((c pT + i) pH + j) pW + l]
//
// Kernels    patchify_<bf16|f16>_64x64   tensor cores, x and w of one 16-bit type
//            patchify_f32_64x64          everything else
//            unpatchify_<16|32>_bit      a permutation of elements, bits unchanged
// Layout     x has any strides. The high side of T, H and W is padded by clamping coordinates. k runs over
//            (c, i, j, l), l fastest, which makes w a plain [D, K] matrix.
// Mapping    the gather is the load of operand a: see GatherLoader in device/gemm.cuh. Every element has its
//            own address, because patches are 2 to 16 columns wide, at any stride and alignment.
// Numerics   f32 sums, one rounding to out_dtype.
// Cost       2 M D K FLOPs with K = C kT kH kW; for the generator K is 64 and M 14,040, so 5.5 GFLOP once per
//            step, and the store of [M, D] is the larger part.
#include "../device/convert.cuh"
#include "../device/gemm.cuh"
#include "../device/gemm_f32.cuh"
#include "patchify_config.h"

namespace framepack {
namespace {

// The integers of PatchifyArgs, narrowed once.
struct PatchShape {
  int frames, height, width;
  int kernel_t, kernel_h, kernel_w, k;
  int grid_t, grid_h, grid_w, tokens, columns;

  FP_DEVICE explicit PatchShape(const PatchifyArgs& args)
      : frames(static_cast<int>(args.extent[0])),
        height(static_cast<int>(args.extent[1])),
        width(static_cast<int>(args.extent[2])),
        kernel_t(static_cast<int>(args.kernel[0])),
        kernel_h(static_cast<int>(args.kernel[1])),
        kernel_w(static_cast<int>(args.kernel[2])),
        k(static_cast<int>(args.channels) * kernel_t * kernel_h * kernel_w),
        grid_t((frames + kernel_t - 1) / kernel_t),
        grid_h((height + kernel_h - 1) / kernel_h),
        grid_w((width + kernel_w - 1) / kernel_w),
        tokens(static_cast<int>(args.batch) * grid_t * grid_h * grid_w),
        columns(static_cast<int>(args.width)) {}
};

// Offset in x of element k of the patch of a token, negative outside of the matrix.
FP_DEVICE long long patch_offset(const PatchifyArgs& args, const PatchShape& shape, int token,
                                 int k) {
  if (token >= shape.tokens || k >= shape.k) return -1;
  const int line = token / shape.grid_w, frame = line / shape.grid_h;
  const int b = frame / shape.grid_t;
  const int column = k / shape.kernel_w, plane = column / shape.kernel_h;
  const int c = plane / shape.kernel_t;
  const int t = frame % shape.grid_t * shape.kernel_t + plane % shape.kernel_t;
  const int h = line % shape.grid_h * shape.kernel_h + column % shape.kernel_h;
  const int w = token % shape.grid_w * shape.kernel_w + k % shape.kernel_w;
  return b * args.x_batch_stride + c * args.x_channel_stride +
         min(t, shape.frames - 1) * args.x_stride[0] + min(h, shape.height - 1) * args.x_stride[1] +
         min(w, shape.width - 1) * args.x_stride[2];
}

struct PatchEpilogue {
  const PatchifyArgs& args;
  const PatchShape& shape;
  TileOrigin origin;

  template <int kCount>
  FP_DEVICE void operator()(int tile_row, int tile_column, float (&v)[kCount]) const {
    const int row = origin.row + tile_row, column = origin.column + tile_column;
    if (row >= shape.tokens || column >= shape.columns) return;
    const int count = min(shape.columns - column, kCount);
    if (args.bias) {
      float bias[kCount];
      load_span(bias, args.bias, args.bias_dtype, column, count);
#pragma unroll
      for (int i = 0; i < kCount; ++i) v[i] += bias[i];
    }
    store_span(args.out, args.out_dtype, static_cast<long long>(row) * shape.columns + column,
               count, v);
  }
};

template <class Element>
FP_DEVICE void patchify(const PatchifyArgs& args) {
  using Config = GemmConfig<Element, Element, kPatchTile>;
  const PatchShape shape(args);
  const TileOrigin origin =
      tile_origin(shape.tokens, shape.columns, kPatchTile.block_m, kPatchTile.block_n);
  const auto x_offset = [&](int row, int k) {
    return patch_offset(args, shape, origin.row + row, k);
  };
  const auto w_offset = [&](int row, int k) {
    return origin.column + row < shape.columns && k < shape.k
               ? static_cast<long long>(origin.column + row) * shape.k + k
               : -1LL;
  };
  GatherLoader<kPatchTile.block_m, Config::kThreads, decltype(x_offset)> load_x(args.x, x_offset);
  GatherLoader<kPatchTile.block_n, Config::kThreads, decltype(w_offset)> load_w(args.w, w_offset);
  gemm<Config>(shape.k, shape.tokens - origin.row, shape.columns - origin.column, load_x, load_w,
               NoScale{}, PatchEpilogue{args, shape, origin});
}

FP_DEVICE void patchify_f32(const PatchifyArgs& args) {
  const PatchShape shape(args);
  const TileOrigin origin = tile_origin(shape.tokens, shape.columns, kGemmF32Block, kGemmF32Block);
  const auto load_x = [&](int row, int k) {
    const long long at = patch_offset(args, shape, origin.row + row, k);
    return at < 0 ? 0.f : load_element(args.x, args.x_dtype, at);
  };
  const auto load_w = [&](int column, int k) {
    const long long d = origin.column + column;
    return d < shape.columns && k < shape.k ? load_element(args.w, args.w_dtype, d * shape.k + k)
                                            : 0.f;
  };
  gemm_f32(shape.k, load_x, load_w, PatchEpilogue{args, shape, origin});
}

// One thread per element of out, in order, so that stores are whole lines. A line of out takes its
// elements from columns of many tokens; the sectors it reads are used up by the lines of the same patches.
template <class Bits>
FP_DEVICE void unpatchify(const UnpatchifyArgs& args) {
  const int patch_t = static_cast<int>(args.patch[0]), patch_h = static_cast<int>(args.patch[1]);
  const int patch_w = static_cast<int>(args.patch[2]);
  const int frames = static_cast<int>(args.grid[0]) * patch_t;
  const int height = static_cast<int>(args.grid[1]) * patch_h;
  const int width = static_cast<int>(args.grid[2]) * patch_w;
  const int channels = static_cast<int>(args.channels);
  const long long at = blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x;
  const long long per_batch = static_cast<long long>(channels) * frames * height * width;
  if (at >= args.batch * per_batch) return;
  const int b = static_cast<int>(at / per_batch), in_batch = static_cast<int>(at % per_batch);
  const int w = in_batch % width, line = in_batch / width;
  const int h = line % height, plane = line / height;
  const int t = plane % frames, c = plane / frames;
  const int token = (t / patch_t * static_cast<int>(args.grid[1]) + h / patch_h) *
                        static_cast<int>(args.grid[2]) +
                    w / patch_w;
  const int column = ((c * patch_t + t % patch_t) * patch_h + h % patch_h) * patch_w + w % patch_w;
  static_cast<Bits*>(args.out)[at] = static_cast<const Bits*>(
      args.x)[b * args.x_batch_stride + token * args.x_token_stride + column];
}

}  // namespace
}  // namespace framepack

extern "C" __global__ void __launch_bounds__(128)
    patchify_bf16_64x64(const framepack::PatchifyArgs args) {
  framepack::patchify<framepack::Bf16>(args);
}

extern "C" __global__ void __launch_bounds__(128)
    patchify_f16_64x64(const framepack::PatchifyArgs args) {
  framepack::patchify<framepack::F16>(args);
}

extern "C" __global__ void __launch_bounds__(framepack::kGemmF32Threads)
    patchify_f32_64x64(const framepack::PatchifyArgs args) {
  framepack::patchify_f32(args);
}

extern "C" __global__ void __launch_bounds__(framepack::kUnpatchThreads)
    unpatchify_16_bit(const framepack::UnpatchifyArgs args) {
  framepack::unpatchify<uint16_t>(args);
}

extern "C" __global__ void __launch_bounds__(framepack::kUnpatchThreads)
    unpatchify_32_bit(const framepack::UnpatchifyArgs args) {
  framepack::unpatchify<uint32_t>(args);
}
