// out[m, n] = residual[m, n] + gate[m / gate_rows, n] * act(sum_k a[m, k] w[n, k] scale(n, k) + bias[n])
//
// Kernels    matmul_<a>[_f8[_block]]_<tile>   tensor cores, bf16 or f16 a; w of the same type or e4m3
//            matmul_<a>[_f8]_skinny           at most 16 rows: one pass over w, no shared-memory pipeline
//            matmul_f32_64x64                 everything else: f32, mixed dtypes, rows off 16 bytes
// Layout     a [M, K], w [N, K], both with unit column stride; ragged M, N and K.
// Mapping    one block per tile, one grid layer (z) per product of a batch, in groups of kGemmRasterRows tile rows. See device/gemm.cuh for the
//            pipeline, its shared-memory map and the fragment orders.
// Numerics   f32 sums, one rounding to out_dtype. Tensor and channel scales multiply the finished sum,
//            block scales the sum of their 64 k's. sigmoid and tanh use ex2.approx (2^-22).
// Cost       2 M N K FLOPs; (M K + N K w_bytes + M N) elements at least once. README.md has the table.
#include "../device/convert.cuh"
#include "../device/gemm.cuh"
#include "../device/gemm_f32.cuh"
#include "../device/math.cuh"
#include "matmul_config.h"
#include "matmul_skinny.cuh"

namespace framepack {
namespace {

FP_DEVICE float activate(float x, Activation activation) {
  switch (activation) {
    case Activation::kGeluTanh: return gelu_tanh(x);
    case Activation::kSilu: return silu(x);
    case Activation::kQuickGelu: return quick_gelu(x);
    default: return x;
  }
}

// Scale, bias, activation, gate and residual of kCount consecutive columns of one row.
struct MatmulEpilogue {
  const MatmulArgs& args;
  int first_row, first_column;

  template <int kCount>
  FP_DEVICE void operator()(int tile_row, int tile_column, float (&v)[kCount]) const {
    const long long row = first_row + tile_row, column = first_column + tile_column;
    if (row >= args.m || column >= args.n) return;
    const int count = static_cast<int>(min(args.n - column, static_cast<long long>(kCount)));
    if (args.scale_mode == ScaleMode::kTensor) {
      const float scale = *args.w_scale;
#pragma unroll
      for (int i = 0; i < kCount; ++i) v[i] *= scale;
    } else if (args.scale_mode == ScaleMode::kChannel) {
      float scale[kCount];
      load_span(scale, args.w_scale, DType::kF32, column, count);
#pragma unroll
      for (int i = 0; i < kCount; ++i) v[i] *= scale[i];
    }
    if (args.bias) {
      float bias[kCount];
      load_span(bias, args.bias, args.bias_dtype, column, count);
#pragma unroll
      for (int i = 0; i < kCount; ++i) v[i] += bias[i];
    }
    if (args.activation != Activation::kNone) {
#pragma unroll
      for (int i = 0; i < kCount; ++i) v[i] = activate(v[i], args.activation);
    }
    if (args.gate) {
      float gate[kCount];
      const long long gate_row = static_cast<int>(row) / static_cast<int>(args.gate_rows);
      load_span(gate, args.gate, args.gate_dtype, gate_row * args.n + column, count);
#pragma unroll
      for (int i = 0; i < kCount; ++i) v[i] *= gate[i];
    }
    if (args.residual) {
      float residual[kCount];
      load_span(residual, args.residual, args.out_dtype, row * args.residual_row_stride + column,
                count);
#pragma unroll
      for (int i = 0; i < kCount; ++i) v[i] += residual[i];
    }
    store_span(args.out, args.out_dtype, row * args.out_row_stride + column, count, v);
  }
};

FP_DEVICE int bytes_of(DType dtype) { return dtype == DType::kF32 ? 4 : 2; }

// The product of this grid layer, alone. There are no layers where the weight is e4m3.
template <class Weight = F32>
FP_DEVICE MatmulArgs product_of_layer(const MatmulArgs& batch) {
  if constexpr (Weight::kBytes == 1) return batch;
  MatmulArgs args = batch;
  const long long layer = blockIdx.z;
  args.a = static_cast<const char*>(args.a) + layer * args.a_batch_stride * bytes_of(args.a_dtype);
  args.w = static_cast<const char*>(args.w) + layer * args.w_batch_stride * bytes_of(args.w_dtype);
  args.out =
      static_cast<char*>(args.out) + layer * args.out_batch_stride * bytes_of(args.out_dtype);
  return args;
}

template <class Config>
FP_DEVICE void matmul(const MatmulArgs& args) {
  constexpr int kWeightBytes = Config::Weight::kBytes;
  const int m = static_cast<int>(args.m), n = static_cast<int>(args.n),
            k = static_cast<int>(args.k);
  const TileOrigin origin = tile_origin(m, n, Config::kTile.block_m, Config::kTile.block_n);
  RowLoader<Config::kTile.block_m, 8, Config::kThreads> load_a(args.a, args.a_row_stride * 2,
                                                               origin.row, m, k * 2);
  RowLoader<Config::kTile.block_n, Config::kRowBytesW / 16, Config::kThreads> load_w(
      args.w, args.w_row_stride * kWeightBytes, origin.column, n, k * kWeightBytes);
  const auto scale = [&](int column, int step) {
    const int row = min(origin.column + column, n - 1);
    return args.w_scale[static_cast<long long>(row) * (k / kGemmBlockK) + step];
  };
  gemm<Config>(k, m - origin.row, n - origin.column, load_a, load_w, scale,
               MatmulEpilogue{args, origin.row, origin.column});
}

FP_DEVICE void matmul_f32(const MatmulArgs& args) {
  const TileOrigin origin =
      tile_origin(static_cast<int>(args.m), static_cast<int>(args.n), kGemmF32Block, kGemmF32Block);
  const int k_end = static_cast<int>(args.k);
  const auto load_a = [&](int row, int k) {
    const long long m = origin.row + row;
    return m < args.m && k < k_end ? load_element(args.a, args.a_dtype, m * args.a_row_stride + k)
                                   : 0.f;
  };
  const auto load_w = [&](int column, int k) {
    const long long n = origin.column + column;
    if (n >= args.n || k >= k_end) return 0.f;
    const float w = load_weight(args.w, args.w_dtype, n * args.w_row_stride + k);
    return args.scale_mode == ScaleMode::kBlock64 ? w * args.w_scale[n * (k_end / 64) + k / 64] : w;
  };
  gemm_f32(k_end, load_a, load_w, MatmulEpilogue{args, origin.row, origin.column});
}

}  // namespace
}  // namespace framepack

#define MATMUL_KERNEL(name, ...)                                                             \
  extern "C" __global__ void __launch_bounds__(framepack::GemmConfig<__VA_ARGS__>::kThreads) \
      name(const framepack::MatmulArgs args) {                                               \
    using Config = framepack::GemmConfig<__VA_ARGS__>;                                       \
    framepack::matmul<Config>(framepack::product_of_layer<Config::Weight>(args));            \
  }

MATMUL_KERNEL(matmul_bf16_128x256, framepack::Bf16, framepack::Bf16, framepack::kMatmulWide)
MATMUL_KERNEL(matmul_f16_128x256, framepack::F16, framepack::F16, framepack::kMatmulWide)
MATMUL_KERNEL(matmul_bf16_f8_128x256, framepack::Bf16, framepack::F8, framepack::kMatmulWide)
MATMUL_KERNEL(matmul_f16_f8_128x256, framepack::F16, framepack::F8, framepack::kMatmulWide)
MATMUL_KERNEL(matmul_bf16_128x128, framepack::Bf16, framepack::Bf16, framepack::kMatmulLarge)
MATMUL_KERNEL(matmul_bf16_64x64, framepack::Bf16, framepack::Bf16, framepack::kMatmulSmall)
MATMUL_KERNEL(matmul_f16_128x128, framepack::F16, framepack::F16, framepack::kMatmulLarge)
MATMUL_KERNEL(matmul_f16_64x64, framepack::F16, framepack::F16, framepack::kMatmulSmall)
MATMUL_KERNEL(matmul_bf16_f8_128x128, framepack::Bf16, framepack::F8, framepack::kMatmulLargeF8)
MATMUL_KERNEL(matmul_bf16_f8_64x64, framepack::Bf16, framepack::F8, framepack::kMatmulSmall)
MATMUL_KERNEL(matmul_f16_f8_128x128, framepack::F16, framepack::F8, framepack::kMatmulLargeF8)
MATMUL_KERNEL(matmul_f16_f8_64x64, framepack::F16, framepack::F8, framepack::kMatmulSmall)
MATMUL_KERNEL(matmul_bf16_f8_block_128x128, framepack::Bf16, framepack::F8,
              framepack::kMatmulLargeF8, true)
MATMUL_KERNEL(matmul_bf16_f8_block_64x64, framepack::Bf16, framepack::F8, framepack::kMatmulSmall,
              true)
MATMUL_KERNEL(matmul_f16_f8_block_128x128, framepack::F16, framepack::F8, framepack::kMatmulLargeF8,
              true)
MATMUL_KERNEL(matmul_f16_f8_block_64x64, framepack::F16, framepack::F8, framepack::kMatmulSmall,
              true)
#undef MATMUL_KERNEL

extern "C" __global__ void __launch_bounds__(framepack::kGemmF32Threads)
    matmul_f32_64x64(const framepack::MatmulArgs args) {
  framepack::matmul_f32(framepack::product_of_layer(args));
}

#define SKINNY_KERNEL(name, element, weight)                                                 \
  extern "C" __global__ void __launch_bounds__(framepack::kSkinnyWarps * 32)                 \
      name(const framepack::MatmulArgs args) {                                               \
    const framepack::MatmulArgs part = framepack::product_of_layer<framepack::weight>(args); \
    const int column = blockIdx.x * framepack::kSkinnyColumns;                               \
    framepack::matmul_skinny<framepack::element, framepack::weight>(                         \
        part, framepack::MatmulEpilogue{part, 0, column});                                   \
  }

SKINNY_KERNEL(matmul_bf16_skinny, Bf16, Bf16)
SKINNY_KERNEL(matmul_f16_skinny, F16, F16)
SKINNY_KERNEL(matmul_bf16_f8_skinny, Bf16, F8)
SKINNY_KERNEL(matmul_f16_f8_skinny, F16, F8)
#undef SKINNY_KERNEL
