#include "norm_ref.h"

#include <cmath>

#include "../../native/core/dtype.h"

namespace framepack::oracle {

void layer_norm(const LayerNormArgs& args) {
  for (long long r = 0; r < args.rows; ++r) {
    const long long x_row = r * args.x_row_stride;
    double mean = 0;
    for (long long d = 0; d < args.width; ++d) mean += load_f32(args.x, args.dtype, x_row + d);
    mean /= static_cast<double>(args.width);
    double variance = 0;
    for (long long d = 0; d < args.width; ++d) {
      const double deviation = load_f32(args.x, args.dtype, x_row + d) - mean;
      variance += deviation * deviation;
    }
    variance /= static_cast<double>(args.width);
    const double deviation = std::sqrt(variance + args.eps);
    const long long modulation_row = r / args.rows_per_modulation * args.modulation_row_stride;
    for (long long d = 0; d < args.width; ++d) {
      double y = (load_f32(args.x, args.dtype, x_row + d) - mean) / deviation;
      if (args.weight) y *= load_f32(args.weight, args.affine_dtype, d);
      if (args.bias) y += load_f32(args.bias, args.affine_dtype, d);
      if (args.scale) y *= 1.0 + load_f32(args.scale, args.modulation_dtype, modulation_row + d);
      if (args.shift) y += load_f32(args.shift, args.modulation_dtype, modulation_row + d);
      store_f32(args.out, args.dtype, r * args.width + d, static_cast<float>(y));
    }
  }
}

void rms_norm(const RmsNormArgs& args) {
  for (long long r = 0; r < args.rows; ++r) {
    const long long x_row = r * args.x_row_stride;
    double sum_of_squares = 0;
    for (long long d = 0; d < args.width; ++d) {
      const double x = load_f32(args.x, args.dtype, x_row + d);
      sum_of_squares += x * x;
    }
    const double rms = std::sqrt(sum_of_squares / static_cast<double>(args.width) + args.eps);
    for (long long d = 0; d < args.width; ++d) {
      const double y = load_f32(args.x, args.dtype, x_row + d) / rms *
                       load_f32(args.weight, args.weight_dtype, d);
      store_f32(args.out, args.dtype, r * args.width + d, static_cast<float>(y));
    }
  }
}

void group_norm(const GroupNormArgs& args) {
  const long long group_channels = args.channels / args.groups;
  const double count = static_cast<double>(args.positions * group_channels);
  for (long long b = 0; b < args.batch; ++b) {
    for (long long g = 0; g < args.groups; ++g) {
      const auto index = [&](long long position, long long c) {
        return (b * args.positions + position) * args.channels + g * group_channels + c;
      };
      double mean = 0;
      for (long long p = 0; p < args.positions; ++p)
        for (long long c = 0; c < group_channels; ++c)
          mean += load_f32(args.x, args.dtype, index(p, c));
      mean /= count;
      double variance = 0;
      for (long long p = 0; p < args.positions; ++p)
        for (long long c = 0; c < group_channels; ++c) {
          const double deviation = load_f32(args.x, args.dtype, index(p, c)) - mean;
          variance += deviation * deviation;
        }
      variance /= count;
      const double deviation = std::sqrt(variance + args.eps);
      for (long long p = 0; p < args.positions; ++p)
        for (long long c = 0; c < group_channels; ++c) {
          const long long channel = g * group_channels + c;
          double y = (load_f32(args.x, args.dtype, index(p, c)) - mean) / deviation *
                         load_f32(args.weight, args.affine_dtype, channel) +
                     load_f32(args.bias, args.affine_dtype, channel);
          if (args.silu) y /= 1.0 + std::exp(-y);
          store_f32(args.out, args.dtype, index(p, c), static_cast<float>(y));
        }
    }
  }
}

}  // namespace framepack::oracle
