// Rms-norm and rotation of the heads of one token.
#pragma once
#include "lanes.h"
#include "statistics.h"

namespace framepack::cpu::isa {
namespace {

void rotate_interleaved(float* x, const float* cos, const float* sin, long long width) {
  for_lanes(width, [=](long long i, int n) {
    const Float value = load(x + i, n);
    const Float crossed = swap_pairs(value) * load_doubled(sin + i / 2, n);
    store(fma_subtract_add(value, load_doubled(cos + i / 2, n), crossed), x + i, n);
  });
}

void rotate_half_split(float* x, const float* cos, const float* sin, long long half) {
  for_lanes(half, [=](long long i, int n) {
    const Float a = load(x + i, n), b = load(x + half + i, n);
    const Float c = load(cos + i, n), s = load(sin + i, n);
    store(fma(a, c, -(b * s)), x + i, n);
    store(fma(b, c, a * s), x + half + i, n);
  });
}

void rope_token(const RopeToken& args) {
  for (long long head = 0; head < args.heads; ++head) {
    float* x = args.x + head * args.head_width;
    if (args.weight) {
      double sums[2];
      moments(x, args.head_width, 0, sums);
      const double mean_square = sums[1] / static_cast<double>(args.head_width);
      const float inverse = static_cast<float>(1.0 / __builtin_sqrt(mean_square + args.eps));
      for_lanes(args.head_width, [=](long long i, int n) {
        store(load(x + i, n) * inverse * load(args.weight + i, n), x + i, n);
      });
    }
    if (!args.cos) continue;
    if (args.interleaved) {
      rotate_interleaved(x, args.cos, args.sin, args.head_width);
    } else {
      rotate_half_split(x, args.cos, args.sin, args.head_width / 2);
    }
  }
}

}  // namespace
}  // namespace framepack::cpu::isa
