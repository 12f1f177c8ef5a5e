// Softmax of attention with one query per lane: maxima and sums run down the columns, so nothing is
// ever reduced across lanes.
#pragma once
#include "../kernel_table.h"
#include "../vector/lanes.h"

namespace framepack::cpu::isa {
namespace {

// exp(x) for x <= 0 (and the little above it that rounding makes) within 2 ulp; below -87 it is 0, so that no subnormal slows the sums down.
inline Float exp_of_negative(Float x) {
  const Float lowest = splat(-87.0f), round = splat(12582912.0f);  // 1.5 * 2^23
  const Float clamped = maximum(lowest, x);                        // keeps NaN
  const Float shifted = fma(clamped, splat(1.44269504f), round);
  const Float n = shifted - round;
  Float r = fma(n, splat(-0.693145752f), clamped);
  r = fma(n, splat(-1.42860677e-6f), r);
  const Int scaled = as_int(exp_of_remainder(r)) + ((as_int(shifted) - as_int(round)) << 23);
  return x < lowest ? Float{} : as_float(scaled);
}

// One vector of queries.
template <bool kIsMasked>
inline bool softmax_lanes(const SoftmaxArgs& args, int lane) {
  float* scores = args.scores + lane;
  const Float visible = kIsMasked ? load(args.visible + lane, kLanes) : Float{};
  const Float lowest = splat(-3.40282347e38f), scale = splat(args.scale);
  Float top[2] = {lowest, lowest};
  for (long long key = 0; key < args.keys; ++key) {
    Float score = load(scores + key * args.width, kLanes) * scale;
    if constexpr (kIsMasked) score = static_cast<float>(key) < visible ? score : lowest;
    top[key & 1] = maximum(score, top[key & 1]);
  }
  const Float before = load(args.maximum + lane, kLanes);
  const Float highest = maximum(before, maximum(top[0], top[1]));
  Float sums[2] = {};
  for (long long key = 0; key < args.keys; ++key) {
    float* score = scores + key * args.width;
    Float p = exp_of_negative(fma(load(score, kLanes), scale, -highest));
    if constexpr (kIsMasked) p = static_cast<float>(key) < visible ? p : Float{};
    store(p, score, kLanes);
    sums[key & 1] += p;
  }
  const Float correction = exp_of_negative(before - highest);
  store(highest, args.maximum + lane, kLanes);
  store(fma(load(args.sum + lane, kLanes), correction, sums[0] + sums[1]), args.sum + lane, kLanes);
  store(correction, args.correction + lane, kLanes);
  bool changes = false;
  for (int i = 0; i < kLanes; ++i) changes |= args.correction[lane + i] != 1.0f;
  return changes;
}

inline bool softmax(const SoftmaxArgs& args) {
  bool changes = false;
  for (int lane = 0; lane < args.width; lane += kLanes) {
    changes |= args.visible ? softmax_lanes<true>(args, lane) : softmax_lanes<false>(args, lane);
  }
  return changes;
}

inline void scale_columns(float* x, long long rows, int width, const float* factor) {
  for (int lane = 0; lane < width; lane += kLanes) {
    const Float scale = load(factor + lane, kLanes);
    for (long long row = 0; row < rows; ++row) {
      float* p = x + row * width + lane;
      store(load(p, kLanes) * scale, p, kLanes);
    }
  }
}

}  // namespace
}  // namespace framepack::cpu::isa
