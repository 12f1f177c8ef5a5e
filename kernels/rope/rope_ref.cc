#include "rope_ref.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../../native/core/dtype.h"

namespace framepack::oracle {

float rope_frequency(float theta, long long j, long long axis_width) {
  const double exponent = 2.0 * static_cast<double>(j) / static_cast<double>(axis_width);
  return static_cast<float>(1.0 / std::pow(static_cast<double>(theta), exponent));
}

void rope_table(const RopeTableArgs& args) {
  long long index = 0;
  for (long long t = 0; t < args.frames; ++t)
    for (long long y = 0; y < args.height; ++y)
      for (long long x = 0; x < args.width; ++x) {
        const float position[3] = {static_cast<float>(args.frame_positions[t]),
                                   static_cast<float>(y), static_cast<float>(x)};
        for (int axis = 0; axis < 3; ++axis)
          for (long long j = 0; j < args.axis_width[axis] / 2; ++j, ++index) {
            const float angle =
                position[axis] * rope_frequency(args.theta, j, args.axis_width[axis]);
            args.cos[index] = static_cast<float>(std::cos(static_cast<double>(angle)));
            args.sin[index] = static_cast<float>(std::sin(static_cast<double>(angle)));
          }
      }
}

namespace {

float pooled(const RopePoolArgs& args, const float* table, const long long cell[3], long long c) {
  double sum = 0;
  for (long long i = 0; i < args.pool[0]; ++i)
    for (long long j = 0; j < args.pool[1]; ++j)
      for (long long k = 0; k < args.pool[2]; ++k) {
        const long long t = std::min(cell[0] * args.pool[0] + i, args.frames - 1);
        const long long y = std::min(cell[1] * args.pool[1] + j, args.height - 1);
        const long long x = std::min(cell[2] * args.pool[2] + k, args.width - 1);
        sum += table[((t * args.height + y) * args.width + x) * args.columns + c];
      }
  return static_cast<float>(sum / static_cast<double>(args.pool[0] * args.pool[1] * args.pool[2]));
}

}  // namespace

void rope_pool(const RopePoolArgs& args) {
  const auto cells = [](long long extent, long long window) {
    return (extent + window - 1) / window;
  };
  long long index = 0;
  for (long long t = 0; t < cells(args.frames, args.pool[0]); ++t)
    for (long long y = 0; y < cells(args.height, args.pool[1]); ++y)
      for (long long x = 0; x < cells(args.width, args.pool[2]); ++x)
        for (long long c = 0; c < args.columns; ++c, ++index) {
          const long long cell[3] = {t, y, x};
          args.cos_out[index] = pooled(args, args.cos, cell, c);
          args.sin_out[index] = pooled(args, args.sin, cell, c);
        }
}

void rope(const RopeArgs& args) {
  const long long half = args.head_width / 2;
  const bool interleaved = args.layout == RopeLayout::kInterleaved;
  // One head is read whole before it is written, so that out may be x.
  std::vector<double> head(static_cast<size_t>(args.head_width));
  for (long long b = 0; b < args.batch; ++b)
    for (long long l = 0; l < args.tokens; ++l)
      for (long long n = 0; n < args.heads; ++n) {
        const long long from =
            b * args.x_batch_stride + l * args.x_token_stride + n * args.x_head_stride;
        const long long to =
            b * args.out_batch_stride + l * args.out_token_stride + n * args.out_head_stride;
        double sum_of_squares = 0;
        for (long long k = 0; k < args.head_width; ++k) {
          head[k] = load_f32(args.x, args.dtype, from + k);
          sum_of_squares += head[k] * head[k];
        }
        if (args.weight) {
          const double rms =
              std::sqrt(sum_of_squares / static_cast<double>(args.head_width) + args.eps);
          for (long long k = 0; k < args.head_width; ++k)
            head[k] = head[k] / rms * load_f32(args.weight, args.weight_dtype, k);
        }
        if (l < args.table_tokens) {
          for (long long j = 0; j < half; ++j) {
            double& a = head[interleaved ? 2 * j : j];
            double& b_element = head[interleaved ? 2 * j + 1 : j + half];
            const double cos = args.cos[l * half + j];
            const double sin = args.sin[l * half + j];
            const double rotated = a * cos - b_element * sin;
            b_element = b_element * cos + a * sin;
            a = rotated;
          }
        }
        for (long long k = 0; k < args.head_width; ++k)
          store_f32(args.out, args.dtype, to + k, static_cast<float>(head[k]));
      }
}

}  // namespace framepack::oracle
