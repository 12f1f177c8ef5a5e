// out[b, t, h, w, o] = residual + bias[o] + sum_{i, j, l, c} w[o, i, j, l, c] x[b, cl(t'), cl(h'), cl(w'), c]
//
// Kernels    conv3d_<bf16|f16>_<tile>         tensor cores, C_in a multiple of 8
//            conv3d_<bf16|f16>_gather_64x64   any C_in, one load per element (pictures: C_in = 3)
//            conv3d_f32_64x64                 f32, and weights of another dtype
// Layout     channels last; the high and low side of every axis are padded by clamping coordinates.
// Mapping    implicit product: rows are output pixels (b, t, h, w), columns output channels, and k runs over
//            (i, j, l, c), c fastest, so that 8 consecutive k's are 16 bytes of one input pixel and w is a
//            plain [C_out, K] matrix. Pipeline and shared-memory map as in device/gemm.cuh.
// Addresses  a thread owns one 16-byte column of the stage and 4 rows. It keeps the low corner of each row
//            and one tap (i, j, l, c), advanced by 64 k's per stage without a division.
// Numerics   f32 sums, one rounding; the residual is added before it.
// Cost       2 M N K FLOPs with M pixels, N = C_out, K = kT kH kW C_in; x is read kT kH kW times, but from L2:
//            the taps of neighbouring pixels are the same lines.
#include "../device/convert.cuh"
#include "../device/gemm.cuh"
#include "../device/gemm_f32.cuh"
#include "conv3d_config.h"

namespace framepack {
namespace {

FP_DEVICE int clamp_to(int a, int extent) { return min(max(a, 0), extent - 1); }

// The integers of Conv3dArgs, narrowed once.
struct ConvShape {
  int frames, height, width, channels;
  int out_frames, out_height, out_width, pixels;
  int kernel_t, kernel_h, kernel_w, k;

  FP_DEVICE explicit ConvShape(const Conv3dArgs& args)
      : frames(static_cast<int>(args.in_extent[0])),
        height(static_cast<int>(args.in_extent[1])),
        width(static_cast<int>(args.in_extent[2])),
        channels(static_cast<int>(args.in_channels)),
        out_frames(static_cast<int>(args.out_extent[0])),
        out_height(static_cast<int>(args.out_extent[1])),
        out_width(static_cast<int>(args.out_extent[2])),
        pixels(static_cast<int>(args.batch) * out_frames * out_height * out_width),
        kernel_t(static_cast<int>(args.kernel[0])),
        kernel_h(static_cast<int>(args.kernel[1])),
        kernel_w(static_cast<int>(args.kernel[2])),
        k(kernel_t * kernel_h * kernel_w * channels) {}
};

struct Pixel {
  int b, t, h, w;
};

FP_DEVICE Pixel output_pixel(const ConvShape& shape, int row) {
  const int column = row % shape.out_width, line = row / shape.out_width;
  const int frame = line / shape.out_height;
  return {frame / shape.out_frames, frame % shape.out_frames, line % shape.out_height, column};
}

// First input coordinate under the kernel; may lie outside of the input.
FP_DEVICE Pixel low_corner(const Conv3dArgs& args, const Pixel& out) {
  return {out.b, out.t * static_cast<int>(args.stride[0]) - static_cast<int>(args.pad[0]),
          out.h * static_cast<int>(args.stride[1]) - static_cast<int>(args.pad[1]),
          out.w * static_cast<int>(args.stride[2]) - static_cast<int>(args.pad[2])};
}

FP_DEVICE int input_pixel(const ConvShape& shape, const Pixel& low, int i, int j, int l) {
  const int t = clamp_to(low.t + i, shape.frames), h = clamp_to(low.h + j, shape.height);
  return ((low.b * shape.frames + t) * shape.height + h) * shape.width +
         clamp_to(low.w + l, shape.width);
}

// Offset of element (pixel row, k) of the im2col matrix, negative outside of it.
FP_DEVICE long long im2col_offset(const Conv3dArgs& args, const ConvShape& shape, int row, int k) {
  if (row >= shape.pixels || k >= shape.k) return -1;
  const int c = k % shape.channels, tap = k / shape.channels;
  const int l = tap % shape.kernel_w, plane = tap / shape.kernel_w;
  const Pixel low = low_corner(args, output_pixel(shape, row));
  const int pixel = input_pixel(shape, low, plane / shape.kernel_h, plane % shape.kernel_h, l);
  return static_cast<long long>(pixel) * shape.channels + c;
}

// Stages of the im2col matrix in 16-byte pieces; channels % 8 == 0.
template <int kRows, int kThreads>
class Im2colLoader {
 public:
  FP_DEVICE Im2colLoader(const Conv3dArgs& args, const ConvShape& shape, int first_row)
      : x_(static_cast<const char*>(args.x)), shape_(shape) {
    const int chunk = threadIdx.x % 8, row = threadIdx.x / 8;
    target_ = tile_offset<8>(row, chunk);
    const int tap = chunk * 8 / shape.channels, plane = tap / shape.kernel_w;
    c_ = chunk * 8 % shape.channels;
    l_ = tap % shape.kernel_w;
    j_ = plane % shape.kernel_h;
    i_ = plane / shape.kernel_h;
#pragma unroll
    for (int r = 0; r < kCopies; ++r) {
      const int pixel = min(first_row + row + r * kRowStep, shape.pixels - 1);
      low_[r] = low_corner(args, output_pixel(shape, pixel));
    }
  }

  FP_DEVICE void operator()(unsigned char* tile) {
    const uint32_t target = shared_address(tile) + target_;
    const int bytes = i_ < shape_.kernel_t ? 16 : 0;
#pragma unroll
    for (int r = 0; r < kCopies; ++r) {
      const int pixel = input_pixel(shape_, low_[r], i_, j_, l_);
      const char* source = x_ + (static_cast<long long>(pixel) * shape_.channels + c_) * 2;
      ptx::cp_async_16(target + r * (kRowStep * 128), source, bytes);
    }
    c_ += kGemmBlockK;
    while (c_ >= shape_.channels) {
      c_ -= shape_.channels;
      if (++l_ < shape_.kernel_w) continue;
      l_ = 0;
      if (++j_ < shape_.kernel_h) continue;
      j_ = 0;
      ++i_;
    }
  }

 private:
  static constexpr int kRowStep = kThreads / 8;
  static constexpr int kCopies = kRows / kRowStep;
  static_assert(kRowStep % 8 == 0, "the swizzle must repeat per copy");

  const char* x_;
  const ConvShape& shape_;
  uint32_t target_;
  int i_, j_, l_, c_;
  Pixel low_[kCopies];
};

// w is a [C_out, K] matrix whose rows are multiples of 16 bytes, but a narrow tile has fewer rows than the
// threads copy at once.
template <int kRows, int kThreads>
class WeightLoader {
 public:
  FP_DEVICE WeightLoader(const Conv3dArgs& args, const ConvShape& shape, int first_row)
      : copies_(args.w, shape.k * 2LL, first_row, static_cast<int>(args.out_channels),
                shape.k * 2) {}

  FP_DEVICE void operator()(unsigned char* tile) {
    if (threadIdx.x < kActive) copies_(tile);
  }

 private:
  static constexpr int kActive = kRows * 8 < kThreads ? kRows * 8 : kThreads;
  RowLoader<kRows, 8, kActive> copies_;
};

struct ConvEpilogue {
  const Conv3dArgs& args;
  const ConvShape& shape;
  int first_row, first_column;

  template <int kCount>
  FP_DEVICE void operator()(int tile_row, int tile_column, float (&v)[kCount]) const {
    const int row = first_row + tile_row, column = first_column + tile_column;
    const int channels = static_cast<int>(args.out_channels);
    if (row >= shape.pixels || column >= channels) return;
    const int count = min(channels - column, kCount);
    const Pixel pixel = output_pixel(shape, row);
    const long long at = pixel.b * args.out_batch_stride + pixel.t * args.out_stride[0] +
                         pixel.h * args.out_stride[1] + pixel.w * args.out_stride[2] + column;
    if (args.bias) {
      float bias[kCount];
      load_span(bias, args.bias, args.bias_dtype, column, count);
#pragma unroll
      for (int i = 0; i < kCount; ++i) v[i] += bias[i];
    }
    if (args.residual) {
      float residual[kCount];
      load_span(residual, args.residual, args.dtype, at, count);
#pragma unroll
      for (int i = 0; i < kCount; ++i) v[i] += residual[i];
    }
    store_span(args.out, args.dtype, at, count, v);
  }
};

template <class Element, GemmTile kTile>
FP_DEVICE void conv3d(const Conv3dArgs& args) {
  using Config = GemmConfig<Element, Element, kTile>;
  const ConvShape shape(args);
  const int channels = static_cast<int>(args.out_channels);
  const TileOrigin origin = tile_origin(shape.pixels, channels, kTile.block_m, kTile.block_n);
  Im2colLoader<kTile.block_m, Config::kThreads> load_x(args, shape, origin.row);
  WeightLoader<kTile.block_n, Config::kThreads> load_w(args, shape, origin.column);
  gemm<Config>(shape.k, shape.pixels - origin.row, channels - origin.column, load_x, load_w,
               NoScale{}, ConvEpilogue{args, shape, origin.row, origin.column});
}

template <class Element>
FP_DEVICE void conv3d_gather(const Conv3dArgs& args) {
  using Config = GemmConfig<Element, Element, kConvSmall>;
  const ConvShape shape(args);
  const int channels = static_cast<int>(args.out_channels);
  const TileOrigin origin =
      tile_origin(shape.pixels, channels, kConvSmall.block_m, kConvSmall.block_n);
  const auto x_offset = [&](int row, int k) {
    return im2col_offset(args, shape, origin.row + row, k);
  };
  const auto w_offset = [&](int row, int k) {
    return origin.column + row < channels && k < shape.k
               ? static_cast<long long>(origin.column + row) * shape.k + k
               : -1LL;
  };
  GatherLoader<kConvSmall.block_m, Config::kThreads, decltype(x_offset)> load_x(args.x, x_offset);
  GatherLoader<kConvSmall.block_n, Config::kThreads, decltype(w_offset)> load_w(args.w, w_offset);
  gemm<Config>(shape.k, shape.pixels - origin.row, channels - origin.column, load_x, load_w,
               NoScale{}, ConvEpilogue{args, shape, origin.row, origin.column});
}

FP_DEVICE void conv3d_f32(const Conv3dArgs& args) {
  const ConvShape shape(args);
  const int channels = static_cast<int>(args.out_channels);
  const TileOrigin origin = tile_origin(shape.pixels, channels, kGemmF32Block, kGemmF32Block);
  const auto load_x = [&](int row, int k) {
    const long long at = im2col_offset(args, shape, origin.row + row, k);
    return at < 0 ? 0.f : load_element(args.x, args.dtype, at);
  };
  const auto load_w = [&](int column, int k) {
    const long long o = origin.column + column;
    return o < channels && k < shape.k ? load_element(args.w, args.w_dtype, o * shape.k + k) : 0.f;
  };
  gemm_f32(shape.k, load_x, load_w, ConvEpilogue{args, shape, origin.row, origin.column});
}

}  // namespace
}  // namespace framepack

// `blocks` that a multiprocessor should hold; told of two, ptxas does not spill to reach four. 0 leaves the
// choice to ptxas.
#define CONV3D_KERNEL(name, element, tile, blocks)                                              \
  extern "C" __global__ void __launch_bounds__(                                                 \
      framepack::GemmConfig<framepack::element, framepack::element, framepack::tile>::kThreads, \
      blocks) name(const framepack::Conv3dArgs args) {                                          \
    framepack::conv3d<framepack::element, framepack::tile>(args);                               \
  }

CONV3D_KERNEL(conv3d_bf16_128x128, Bf16, kConvLarge, 0)
CONV3D_KERNEL(conv3d_bf16_64x64, Bf16, kConvSmall, 0)
CONV3D_KERNEL(conv3d_bf16_128x16, Bf16, kConvNarrow, 2)
CONV3D_KERNEL(conv3d_f16_128x128, F16, kConvLarge, 0)
CONV3D_KERNEL(conv3d_f16_64x64, F16, kConvSmall, 0)
CONV3D_KERNEL(conv3d_f16_128x16, F16, kConvNarrow, 2)
#undef CONV3D_KERNEL

extern "C" __global__ void __launch_bounds__(128)
    conv3d_bf16_gather_64x64(const framepack::Conv3dArgs args) {
  framepack::conv3d_gather<framepack::Bf16>(args);
}

extern "C" __global__ void __launch_bounds__(128)
    conv3d_f16_gather_64x64(const framepack::Conv3dArgs args) {
  framepack::conv3d_gather<framepack::F16>(args);
}

extern "C" __global__ void __launch_bounds__(framepack::kGemmF32Threads)
    conv3d_f32_64x64(const framepack::Conv3dArgs args) {
  framepack::conv3d_f32(args);
}
