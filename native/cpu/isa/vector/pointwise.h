// Kernels that look at one element (or one pair) at a time.
#pragma once
#include "lanes.h"

namespace framepack::cpu::isa {
namespace {

template <class Function>
inline void map(const float* a, float* out, long long count, Function function) {
  for_lanes(count, [=](long long i, int n) { store(function(load(a + i, n)), out + i, n); });
}

template <class Function>
inline void map(const float* a, const float* b, float* out, long long count, Function function) {
  for_lanes(count, [=](long long i, int n) {
    store(function(load(a + i, n), load(b + i, n)), out + i, n);
  });
}

// For functions that no vector instruction computes.
template <class Function>
inline Float each_lane(Float x, Function function) {
  for (int lane = 0; lane < kLanes; ++lane) x[lane] = function(x[lane]);
  return x;
}

inline Float square_root(Float x) {
  return each_lane(x, [](float lane) { return __builtin_sqrtf(lane); });
}

// 1 where the comparison, all bits or none, holds.
inline Float mask(Int holds) { return as_float(holds & as_int(splat(1.0f))); }

void lerp(const float* a, const float* b, const float* c, float* out, long long count) {
  for_lanes(count, [=](long long i, int n) {
    const Float weight = load(c + i, n);
    store(fma(load(b + i, n), weight, load(a + i, n) * (1.0f - weight)), out + i, n);
  });
}

void select(const float* a, const float* b, const float* c, float* out, long long count) {
  for_lanes(count, [=](long long i, int n) {
    store(load(c + i, n) != 0.0f ? load(a + i, n) : load(b + i, n), out + i, n);
  });
}

// Extremes and comparisons of two operands.
void compare(ElementwiseOp op, const float* a, const float* b, float* out, long long count) {
  switch (op) {
    case ElementwiseOp::kMaximum:
      return map(a, b, out, count, [](Float x, Float y) { return ((x > y) | (x != x)) ? x : y; });
    case ElementwiseOp::kMinimum:
      return map(a, b, out, count, [](Float x, Float y) { return ((x < y) | (x != x)) ? x : y; });
    case ElementwiseOp::kEqual:
      return map(a, b, out, count, [](Float x, Float y) { return mask(x == y); });
    case ElementwiseOp::kNotEqual:
      return map(a, b, out, count, [](Float x, Float y) { return mask(x != y); });
    case ElementwiseOp::kLess:
      return map(a, b, out, count, [](Float x, Float y) { return mask(x < y); });
    case ElementwiseOp::kLessEqual:
      return map(a, b, out, count, [](Float x, Float y) { return mask(x <= y); });
    case ElementwiseOp::kGreater:
      return map(a, b, out, count, [](Float x, Float y) { return mask(x > y); });
    case ElementwiseOp::kGreaterEqual:
      return map(a, b, out, count, [](Float x, Float y) { return mask(x >= y); });
    default: return;
  }
}

void elementwise(ElementwiseOp op, const float* a, const float* b, const float* c, float* out,
                 long long count, float alpha, float beta) {
  switch (op) {
    case ElementwiseOp::kAdd: return map(a, b, out, count, [](Float x, Float y) { return x + y; });
    case ElementwiseOp::kSub: return map(a, b, out, count, [](Float x, Float y) { return x - y; });
    case ElementwiseOp::kMul: return map(a, b, out, count, [](Float x, Float y) { return x * y; });
    case ElementwiseOp::kDiv: return map(a, b, out, count, [](Float x, Float y) { return x / y; });
    case ElementwiseOp::kLerp: return lerp(a, b, c, out, count);
    case ElementwiseOp::kAffine:
      return map(a, out, count, [=](Float x) { return fma(x, splat(alpha), splat(beta)); });
    case ElementwiseOp::kClamp:
      return map(a, out, count, [=](Float x) {
        const Float raised = x < alpha ? splat(alpha) : x;
        return raised > beta ? splat(beta) : raised;
      });
    case ElementwiseOp::kGeluTanh: return map(a, out, count, [](Float x) { return gelu_tanh(x); });
    case ElementwiseOp::kSilu:
      return map(a, out, count, [](Float x) { return times_sigmoid(x, x); });
    case ElementwiseOp::kQuickGelu:
      return map(a, out, count, [](Float x) { return times_sigmoid(x, x * 1.702f); });
    case ElementwiseOp::kExp: return map(a, out, count, [](Float x) { return exp(x); });
    case ElementwiseOp::kRelu:
      return map(a, out, count, [](Float x) { return x < 0.0f ? Float{} : x; });
    case ElementwiseOp::kTanh:
      return map(a, out, count, [](Float x) {
        return each_lane(x, [](float lane) { return __builtin_tanhf(lane); });
      });
    case ElementwiseOp::kSqrt: return map(a, out, count, [](Float x) { return square_root(x); });
    case ElementwiseOp::kRsqrt:
      return map(a, out, count, [](Float x) { return 1.0f / square_root(x); });
    case ElementwiseOp::kLog:
      return map(a, out, count, [](Float x) {
        return each_lane(x, [](float lane) { return __builtin_logf(lane); });
      });
    case ElementwiseOp::kWhere: return select(a, b, c, out, count);
    default: return compare(op, a, b, out, count);
  }
}

void normalize_channels(const NormalizeChannels& args) {
  for (long long row = 0; row < args.rows; ++row) {
    const float* x = args.x + row * args.channels;
    float* out = args.out + row * args.channels;
    for_lanes(args.channels, [=, &args](long long c, int n) {
      const Float centred = load(x + c, n) - load(args.mean + c, n);
      const Float y = fma(centred, load(args.scale + c, n), load(args.shift + c, n));
      store(args.silu ? times_sigmoid(y, y) : y, out + c, n);
    });
  }
}

void normalize_row(const NormalizeRow& args) {
  const Float mean = splat(args.mean), inverse = splat(args.inverse);
  const Float offset = splat(args.offset);
  for_lanes(args.width, [=, &args](long long i, int n) {
    Float y = fma(load(args.x + i, n) - mean, inverse, offset);
    if (args.weight) y *= load(args.weight + i, n);
    if (args.bias) y += load(args.bias + i, n);
    if (args.scale) y *= 1.0f + load(args.scale + i, n);
    if (args.shift) y += load(args.shift + i, n);
    store(y, args.out + i, n);
  });
}

}  // namespace
}  // namespace framepack::cpu::isa
