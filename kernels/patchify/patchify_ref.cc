#include "patchify_ref.h"

#include <algorithm>

#include "../../native/core/dtype.h"

namespace framepack::oracle {

namespace {

// Sum over one patch whose low corner is `corner`, for one column of the projection.
double project(const PatchifyArgs& args, long long b, const long long (&corner)[3],
               long long column) {
  const auto& [kernel_t, kernel_h, kernel_w] = args.kernel;
  double sum = 0;
  long long w = column * args.channels * kernel_t * kernel_h * kernel_w;
  for (long long c = 0; c < args.channels; ++c) {
    for (long long i = 0; i < kernel_t; ++i) {
      const long long t = std::min(corner[0] + i, args.extent[0] - 1);
      for (long long j = 0; j < kernel_h; ++j) {
        const long long y = std::min(corner[1] + j, args.extent[1] - 1);
        for (long long l = 0; l < kernel_w; ++l, ++w) {
          const long long x = std::min(corner[2] + l, args.extent[2] - 1);
          const long long source = b * args.x_batch_stride + c * args.x_channel_stride +
                                   t * args.x_stride[0] + y * args.x_stride[1] +
                                   x * args.x_stride[2];
          sum += static_cast<double>(load_f32(args.w, args.w_dtype, w)) *
                 load_f32(args.x, args.x_dtype, source);
        }
      }
    }
  }
  return sum;
}

long long patches_along(const PatchifyArgs& args, int axis) {
  return (args.extent[axis] + args.kernel[axis] - 1) / args.kernel[axis];
}

}  // namespace

void patchify(const PatchifyArgs& args) {
  long long out = 0;
  for (long long b = 0; b < args.batch; ++b) {
    for (long long t = 0; t < patches_along(args, 0); ++t) {
      for (long long y = 0; y < patches_along(args, 1); ++y) {
        for (long long x = 0; x < patches_along(args, 2); ++x) {
          for (long long d = 0; d < args.width; ++d, ++out) {
            double sum =
                project(args, b, {t * args.kernel[0], y * args.kernel[1], x * args.kernel[2]}, d);
            if (args.bias) sum += load_f32(args.bias, args.bias_dtype, d);
            store_f32(args.out, args.out_dtype, out, static_cast<float>(sum));
          }
        }
      }
    }
  }
}

void unpatchify(const UnpatchifyArgs& args) {
  const auto& [patch_t, patch_h, patch_w] = args.patch;
  const long long frames = args.grid[0] * patch_t;
  const long long height = args.grid[1] * patch_h;
  const long long width = args.grid[2] * patch_w;
  long long out = 0;
  for (long long b = 0; b < args.batch; ++b) {
    for (long long c = 0; c < args.channels; ++c) {
      for (long long t = 0; t < frames; ++t) {
        for (long long y = 0; y < height; ++y) {
          for (long long x = 0; x < width; ++x, ++out) {
            const long long token =
                (t / patch_t * args.grid[1] + y / patch_h) * args.grid[2] + x / patch_w;
            const long long column =
                ((c * patch_t + t % patch_t) * patch_h + y % patch_h) * patch_w + x % patch_w;
            store_f32(args.out, args.dtype, out,
                      load_f32(args.x, args.dtype,
                               b * args.x_batch_stride + token * args.x_token_stride + column));
          }
        }
      }
    }
  }
}

}  // namespace framepack::oracle
