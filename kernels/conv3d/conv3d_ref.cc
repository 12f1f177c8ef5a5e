#include "conv3d_ref.h"

#include <algorithm>

#include "../../native/core/dtype.h"

namespace framepack::oracle {

namespace {

// Input coordinate of tap `tap` for output coordinate `position` along `axis`.
long long source_of(const Conv3dArgs& args, int axis, long long position, long long tap) {
  return std::clamp(args.stride[axis] * position + tap - args.pad[axis], 0LL,
                    args.in_extent[axis] - 1);
}

double convolve(const Conv3dArgs& args, long long b, const long long (&position)[3],
                long long out_channel) {
  const auto& [kernel_t, kernel_h, kernel_w] = args.kernel;
  double sum = 0;
  long long w = out_channel * kernel_t * kernel_h * kernel_w * args.in_channels;
  for (long long i = 0; i < kernel_t; ++i) {
    const long long t = source_of(args, 0, position[0], i);
    for (long long j = 0; j < kernel_h; ++j) {
      const long long y = source_of(args, 1, position[1], j);
      for (long long l = 0; l < kernel_w; ++l) {
        const long long x = source_of(args, 2, position[2], l);
        const long long pixel =
            ((b * args.in_extent[0] + t) * args.in_extent[1] + y) * args.in_extent[2] + x;
        for (long long c = 0; c < args.in_channels; ++c, ++w) {
          sum += static_cast<double>(load_f32(args.w, args.w_dtype, w)) *
                 load_f32(args.x, args.dtype, pixel * args.in_channels + c);
        }
      }
    }
  }
  return sum;
}

}  // namespace

void conv3d(const Conv3dArgs& args) {
  const auto& [frames, height, width] = args.out_extent;
  for (long long b = 0; b < args.batch; ++b) {
    for (long long t = 0; t < frames; ++t) {
      for (long long y = 0; y < height; ++y) {
        for (long long x = 0; x < width; ++x) {
          const long long pixel = b * args.out_batch_stride + t * args.out_stride[0] +
                                  y * args.out_stride[1] + x * args.out_stride[2];
          for (long long o = 0; o < args.out_channels; ++o) {
            double sum = convolve(args, b, {t, y, x}, o);
            if (args.bias) sum += load_f32(args.bias, args.bias_dtype, o);
            if (args.residual) sum += load_f32(args.residual, args.dtype, pixel + o);
            store_f32(args.out, args.dtype, pixel + o, static_cast<float>(sum));
          }
        }
      }
    }
  }
}

}  // namespace framepack::oracle
